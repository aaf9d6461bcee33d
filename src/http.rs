//! What every request goes through: ids, headers, extraction. Knows no resource.

pub mod address;
pub mod headers;
pub mod json;
pub mod lent;
pub mod log;
pub mod network;
pub mod page;
pub mod path;
pub mod request_id;
pub mod revision;
pub mod worktime;
