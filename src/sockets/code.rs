//! Why a socket is closed [SYNC-11]: RFC 6455's codes, and ours from 4400, of which coming back would change nothing.

use troupe_actors::Close;

pub const MALFORMED: u16 = 4400;
pub const UNAUTHENTICATED: u16 = 4401;
pub const FORBIDDEN: u16 = 4403;
pub const GONE: u16 = 4404;
pub const IDLE: u16 = 4408;
/// The canvas is not opened before somebody says so.
pub const HELD_BACK: u16 = 4423;
pub const TRY_AGAIN: u16 = 1013;

/// Whether coming back would change nothing.
pub fn is_final(close: &Close) -> bool {
    (4400..4500).contains(&close.code)
}
