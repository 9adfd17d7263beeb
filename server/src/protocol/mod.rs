//! The frames and records of `PROTOCOL.md`, and nothing else: what goes over the wire has its shape here.

pub mod client;
pub mod record;
pub mod server;

/// Version of the protocol.
pub const VERSION: u32 = 1;
/// Bytes of a frame at most.
pub const MAX_FRAME: usize = 64 * 1024;
/// Characters of a message at most.
pub const MAX_TEXT: usize = 4_000;
