//! Who is asking: passwords, access tokens, refresh tokens, tickets, attempts, known devices.
//!
//! Knows who somebody is; what they may do is `policy`'s.

pub mod accounts;
pub mod attempts;
pub mod authenticate;
pub mod caller;
pub mod device;
pub mod keys;
pub mod password;
pub mod people;
pub mod refresh;
pub mod signing;
pub mod ticket;
pub mod token;

pub use caller::Caller;
