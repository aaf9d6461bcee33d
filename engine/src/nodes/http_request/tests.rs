//! Against a small service on this machine.
