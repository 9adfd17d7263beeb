//! Passwords: Argon2id with the library's defaults (19 MiB, two passes), off the async threads, two at a time.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use tokio::sync::Semaphore;

/// Characters of a password at least.
pub const MIN_CHARS: usize = 12;
/// Bytes of a password at most.
pub const MAX_BYTES: usize = 1_024;
/// Hashes that may run at once; each takes 19 MiB.
const AT_ONCE: usize = 2;

/// Hashes and checks passwords.
#[derive(Debug)]
pub struct Passwords {
    permits: Semaphore,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { permits: Semaphore::new(AT_ONCE) }
    }
}

/// The hash could not be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the password could not be hashed: {0}")]
pub struct HashFailed(String);

impl Passwords {
    /// The PHC text of a password under a fresh salt.
    ///
    /// # Errors
    /// [`HashFailed`].
    pub async fn hash(&self, password: String) -> Result<String, HashFailed> {
        let work = move || {
            Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string())
        };
        self.run(work).await?.map_err(|error| HashFailed(error.to_string()))
    }

    /// Whether a password fits; without a hash the same time passes and the answer is no.
    ///
    /// # Errors
    /// [`HashFailed`].
    pub async fn fits(&self, password: String, hash: Option<String>) -> Result<bool, HashFailed> {
        let work = move || match hash.as_deref().map(PasswordHash::new) {
            Some(Ok(hash)) => Argon2::default().verify_password(password.as_bytes(), &hash).is_ok(),
            _ => {
                let _ = Argon2::default().hash_password(password.as_bytes());
                false
            }
        };
        self.run(work).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashFailed> {
        let _permit =
            self.permits.acquire().await.map_err(|error| HashFailed(error.to_string()))?;
        tokio::task::spawn_blocking(work).await.map_err(|error| HashFailed(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_fits() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        for (password, stored, fits) in [
            ("correct horse", Some(hash.clone()), true),
            ("correct horsE", Some(hash), false),
            ("correct horse", None, false),
            ("correct horse", Some("damaged".into()), false),
        ] {
            assert_eq!(passwords.fits(password.into(), stored).await.unwrap(), fits);
        }
    }
}
