pub mod files; pub mod node;
