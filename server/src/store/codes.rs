//! One-time codes and what they have proved.

use sqlx::FromRow;

use super::{Store, StoreError, Tx};

const OUTDATE_WANTED: &str =
    "UPDATE codes SET status = 'outdated' WHERE conversation = $1 AND status = 'wanted'";
const WANT: &str = "INSERT INTO codes (id, conversation, email, status, salt, hash, tries, attempts, wanted_at, due_at, \
    sent_at, expires_at) VALUES ($1, $2, $3, 'wanted', NULL, NULL, 0, 0, $4, $4, 0, 0)";
const DUE: &str = "SELECT id, conversation, email, attempts, wanted_at FROM codes c WHERE status = 'wanted' \
    AND (due_at <= $1 OR due_at > $2) \
    AND NOT EXISTS (SELECT 1 FROM codes o WHERE o.email = c.email AND o.status = 'sending' AND o.sent_at > $3) \
    ORDER BY due_at, wanted_at, id LIMIT 1";
const NEXT_DUE: &str = "SELECT MIN(due_at) FROM codes WHERE status = 'wanted'";
const SENT_TO: &str = "SELECT COUNT(*) FROM codes WHERE email = $1 AND sent_at > $2";
// Codes that were made and whose mail did not go out count as well, at a higher limit: they may be guessed for a moment.
const TRIED_TO: &str =
    "SELECT COALESCE(SUM(attempts), 0) FROM codes WHERE email = $1 AND wanted_at > $2";
const SENT_IN: &str = "SELECT COUNT(*) FROM codes WHERE conversation = $1 AND sent_at > 0";
const SENT: &str = "SELECT COUNT(*) FROM codes WHERE sent_at > $1";
const OUTDATE_SENT: &str = "UPDATE codes SET status = 'outdated', salt = NULL, hash = NULL \
    WHERE conversation = $1 AND status IN ('sending', 'sent') AND id <> $2";
const RESERVE: &str = "UPDATE codes SET status = 'sending', salt = $2, hash = $3, tries = 0, attempts = attempts + 1, \
    sent_at = $4, expires_at = $5 WHERE id = $1 AND status = 'wanted'";
const MARK_SENT: &str = "UPDATE codes SET status = 'sent' WHERE id = $1 AND status = 'sending'";
const PUT_OFF: &str = "UPDATE codes SET status = 'wanted', salt = NULL, hash = NULL, sent_at = 0, due_at = $2 \
    WHERE id = $1 AND status = 'sending'";
const UNSENT: &str = "UPDATE codes SET status = 'unsent', salt = NULL, hash = NULL, sent_at = 0 \
    WHERE id = $1 AND status IN ('wanted', 'sending')";
const TAKE_UP: &str = "UPDATE codes SET status = 'wanted', salt = NULL, hash = NULL, sent_at = 0, due_at = $1 \
    WHERE status = 'sending'";
const WAITED_FOR: &str = "SELECT id, email, status, salt, expires_at FROM codes WHERE conversation = $1 \
    AND status NOT IN ('wanted', 'unsent', 'outdated') ORDER BY wanted_at DESC, id DESC LIMIT 1";
// Compares and counts in one statement: of many guesses at once only as many are looked at as there are tries.
const TRY: &str = "UPDATE codes SET tries = tries + 1, status = CASE WHEN hash = $2 THEN 'used' \
    WHEN tries + 1 >= $4 THEN 'over' ELSE status END \
    WHERE id = $1 AND status IN ('sending', 'sent') AND tries < $4 AND expires_at > $3 RETURNING status, tries";
const PROVE: &str = "INSERT INTO proofs (conversation, email, at, until) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (conversation) DO UPDATE SET email = excluded.email, at = excluded.at, until = excluded.until";
const DISPROVE: &str = "DELETE FROM proofs WHERE conversation = $1 AND email <> $2";
const PROVED: &str = "SELECT email FROM proofs WHERE conversation = $1 AND until > $2 AND at <= $3";

/// A code that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Wanted {
    /// 32 hex digits.
    pub id: String,
    /// The conversation.
    pub conversation: String,
    /// Where it goes, in lower case.
    pub email: String,
    /// Mails that were tried.
    pub attempts: i64,
    /// When it was asked for, in milliseconds since 1970.
    pub wanted_at: i64,
}

/// The newest code of a conversation that was sent.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Waited {
    /// 32 hex digits.
    pub id: String,
    /// Where it went.
    pub email: String,
    /// `sending`, `sent`, `used` or `over`.
    pub status: String,
    /// Of its hash.
    pub salt: Option<String>,
    /// Milliseconds since 1970.
    pub expires_at: i64,
}

/// Mails with codes that were sent: to an address lately, in a conversation, and to anybody lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// To the address since a time.
    pub to_address: i64,
    /// Mails to the address that were tried since that time, whatever became of them.
    pub tried_to_address: i64,
    /// In the conversation.
    pub in_conversation: i64,
    /// To anybody since that time.
    pub to_anybody: i64,
}

impl Store {
    /// When the next code is to be sent.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn next_code(&self) -> Result<Option<i64>, StoreError> {
        Ok(sqlx::query_scalar(NEXT_DUE).fetch_one(&self.readers).await?)
    }

    /// The address that the visitor of a conversation has shown to be theirs, if that still counts. A clock that was set back
    /// to before the proof makes it count no more.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn proved(&self, conversation: &str, now: i64) -> Result<Option<String>, StoreError> {
        let query = sqlx::query_scalar(PROVED).bind(conversation).bind(now).bind(now + SKEW_MS);
        Ok(query.fetch_optional(&self.readers).await?)
    }
}

/// How far a clock may go back without a proof being lost.
const SKEW_MS: i64 = 60_000;

impl Tx {
    /// As [`Store::proved`], inside this transaction.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn proved(
        &mut self,
        conversation: &str,
        now: i64,
    ) -> Result<Option<String>, StoreError> {
        let query = sqlx::query_scalar(PROVED).bind(conversation).bind(now).bind(now + SKEW_MS);
        Ok(query.fetch_optional(self.conn()).await?)
    }

    /// Has a code sent to an address; one that waits for its mail is wanted no more, and another address is proved no more.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn want_code(
        &mut self,
        id: &str,
        (conversation, email): (&str, &str),
        now: i64,
    ) -> Result<(), StoreError> {
        sqlx::query(DISPROVE).bind(conversation).bind(email).execute(self.conn()).await?;
        sqlx::query(OUTDATE_WANTED).bind(conversation).execute(self.conn()).await?;
        let want = sqlx::query(WANT).bind(id).bind(conversation).bind(email).bind(now);
        want.execute(self.conn()).await?;
        Ok(())
    }

    /// The code that has waited longest for its mail; none to an address that another has been sent to for less than `longest`
    /// milliseconds. What is due later than that from now was put off before the clock was set back.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn due_code(&mut self, now: i64, longest: i64) -> Result<Option<Wanted>, StoreError> {
        let query = sqlx::query_as(DUE).bind(now).bind(now + longest).bind(now - longest);
        Ok(query.fetch_optional(self.conn()).await?)
    }

    /// Counts what was sent; "lately" is after `since`.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn codes_sent(&mut self, wanted: &Wanted, since: i64) -> Result<Sent, StoreError> {
        let to = sqlx::query_scalar(SENT_TO).bind(&wanted.email).bind(since);
        let to_address = to.fetch_one(self.conn()).await?;
        let tried = sqlx::query_scalar(TRIED_TO).bind(&wanted.email).bind(since);
        let tried_to_address = tried.fetch_one(self.conn()).await?;
        let inside = sqlx::query_scalar(SENT_IN).bind(&wanted.conversation);
        let in_conversation = inside.fetch_one(self.conn()).await?;
        let to_anybody = sqlx::query_scalar(SENT).bind(since).fetch_one(self.conn()).await?;
        Ok(Sent { to_address, tried_to_address, in_conversation, to_anybody })
    }

    /// Keeps the hash of a code whose mail is about to go out; older codes of the conversation are good no more.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn reserve_code(
        &mut self,
        wanted: &Wanted,
        (salt, hash): (&str, &str),
        (now, expires): (i64, i64),
    ) -> Result<(), StoreError> {
        let older = sqlx::query(OUTDATE_SENT).bind(&wanted.conversation).bind(&wanted.id);
        older.execute(self.conn()).await?;
        let reserve = sqlx::query(RESERVE).bind(&wanted.id).bind(salt).bind(hash);
        reserve.bind(now).bind(expires).execute(self.conn()).await?;
        Ok(())
    }

    /// The mail has gone out.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn code_sent(&mut self, id: &str) -> Result<(), StoreError> {
        sqlx::query(MARK_SENT).bind(id).execute(self.conn()).await?;
        Ok(())
    }

    /// The mail has not gone out, and is tried again.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn put_code_off(&mut self, id: &str, due: i64) -> Result<(), StoreError> {
        sqlx::query(PUT_OFF).bind(id).bind(due).execute(self.conn()).await?;
        Ok(())
    }

    /// The mail does not go out; whether it was still wanted.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn code_unsent(&mut self, id: &str) -> Result<bool, StoreError> {
        let done = sqlx::query(UNSENT).bind(id).execute(self.conn()).await?;
        Ok(done.rows_affected() > 0)
    }

    /// What an earlier run was sending is sent anew.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn take_up_codes(&mut self, now: i64) -> Result<(), StoreError> {
        sqlx::query(TAKE_UP).bind(now).execute(self.conn()).await?;
        Ok(())
    }

    /// The newest code of a conversation whose mail went out.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn waited_code(&mut self, conversation: &str) -> Result<Option<Waited>, StoreError> {
        Ok(sqlx::query_as(WAITED_FOR).bind(conversation).fetch_optional(self.conn()).await?)
    }

    /// Tries a code by its hash: the status and how often it was tried; `None` when no try is left or it is too late.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn try_code(
        &mut self,
        id: &str,
        hash: &str,
        (now, tries): (i64, i64),
    ) -> Result<Option<(String, i64)>, StoreError> {
        let query = sqlx::query_as(TRY).bind(id).bind(hash).bind(now).bind(tries);
        Ok(query.fetch_optional(self.conn()).await?)
    }

    /// The visitor has shown that an address is theirs.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn prove(
        &mut self,
        conversation: &str,
        email: &str,
        (now, until): (i64, i64),
    ) -> Result<(), StoreError> {
        let prove = sqlx::query(PROVE).bind(conversation).bind(email).bind(now).bind(until);
        prove.execute(self.conn()).await?;
        Ok(())
    }
}
