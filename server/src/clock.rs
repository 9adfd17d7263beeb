//! The time and the randomness of the server, so that tests may choose their own.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

/// Tells the time.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::new(|| {
            #[expect(
                clippy::disallowed_methods,
                reason = "this is the clock that everybody else is given"
            )]
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
    }

    /// A clock that asks `now` for the milliseconds since 1970.
    pub fn new(now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Milliseconds since 1970 (UTC).
    pub fn now_ms(&self) -> i64 {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// Fills bytes at random.
type Fill = dyn Fn(&mut [u8]) + Send + Sync;

/// Makes ids and secrets.
#[derive(Clone)]
pub struct Ids(Arc<Fill>);

impl Ids {
    /// Bytes of the operating system's generator.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn system() -> Result<Self, getrandom::Error> {
        getrandom::fill(&mut [0; 32])?;
        Ok(Self::new(|bytes| {
            // It has given bytes before; a generator that fails later would make guessable secrets.
            if let Err(error) = getrandom::fill(bytes) {
                tracing::error!(%error, "no random bytes");
                std::process::abort();
            }
        }))
    }

    /// Bytes of `fill`.
    pub fn new(fill: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Self {
        Self(Arc::new(fill))
    }

    /// 128 random bits as 32 lower-case hex digits.
    pub fn id(&self) -> String {
        self.hex::<16>()
    }

    /// 256 random bits as 64 lower-case hex digits.
    pub fn secret(&self) -> String {
        self.hex::<32>()
    }

    /// A number from 0 to `below` - 1, for spreading things in time.
    pub fn spread(&self, below: u64) -> u64 {
        let mut bytes = [0; 8];
        (self.0)(&mut bytes);
        u64::from_le_bytes(bytes) % below.max(1)
    }

    fn hex<const N: usize>(&self) -> String {
        let mut bytes = [0; N];
        (self.0)(&mut bytes);
        hex(&bytes)
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ids")
    }
}

/// Hex SHA-256 of a secret: what is kept of it. It names the state of a file as well.
pub fn fingerprint(secret: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(secret))
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a text is `digits` lower-case hex digits.
pub fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
