//! Everything that is kept: one SQLite file, written by one connection, read by several. All SQL lives below here.

pub mod calls;
pub mod cases;
pub mod cited;
pub mod codes;
pub mod conversations;
pub mod corrections;
pub mod due;
pub mod dump;
pub mod events;
pub mod files;
pub mod gaps;
mod group;
pub mod items;
pub mod jobs;
pub mod leads;
pub mod mail;
pub mod messages;
pub mod outbox;
pub mod owners;
pub mod promises;
pub mod reviews;
pub mod saved_replies;
pub mod suggestions;
pub mod surveys;
pub mod tags;
pub mod tasks;
pub mod tickets;
pub mod tuning;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqliteConnection, SqlitePool};
use tokio::sync::OwnedMutexGuard;

use group::{Desk, Writer};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Connections that read.
const READERS: u32 = 4;
/// How long a statement waits for the file's lock (a backup tool may hold it).
const BUSY: Duration = Duration::from_secs(5);
/// How long a request waits for a connection to read.
const ACQUIRE: Duration = Duration::from_secs(10);
/// Bytes that the log keeps after it was written back.
const LOG_BYTES: &str = "67108864";

/// Why something could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened.
    #[error("the database {path} cannot be opened: {source}. Check that the file is a Porchlight database and may be written.", path = .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// The file was written by another version.
    #[error("the database {path} cannot be brought up to date: {source}. A newer Porchlight may have written it; use that version or restore a backup.", path = .path.display())]
    Migrate {
        /// The file.
        path: PathBuf,
        /// Why.
        source: sqlx::migrate::MigrateError,
    },
    /// Too many wait to write.
    #[error("the database was busy for too long")]
    Busy,
    /// The commit failed; nothing has changed, unless the disk brings back what it could not sync.
    #[error("the database could not commit")]
    Lost,
    /// The disk has failed to keep what it was given.
    #[error(
        "the disk has failed to keep what it was given; nothing more is written until the next start"
    )]
    Unsynced,
    /// A statement failed.
    #[error("the database failed: {0}")]
    Sql(#[from] sqlx::Error),
    /// A stored value has no meaning.
    #[error("the database holds `{value}` as {what}, which means nothing to this version")]
    Meaning {
        /// Which value.
        what: &'static str,
        /// The value.
        value: String,
    },
}

/// The database. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    writer: Writer,
    readers: SqlitePool,
}

impl Store {
    /// Opens or creates the file and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Open`] and [`StoreError::Migrate`].
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        // FULL: what was acknowledged survives a power cut.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .pragma("journal_size_limit", LOG_BYTES)
            .busy_timeout(BUSY);
        let open = |source| StoreError::Open { path: path.into(), source };
        let writer = Writer::open(&options).await.map_err(open)?;
        failpoint!("K22");
        MIGRATIONS
            .run_direct(None, writer.alone().await.conn(), false)
            .await
            .map_err(|source| StoreError::Migrate { path: path.into(), source })?;
        failpoint!("K22");
        let readers = SqlitePoolOptions::new().max_connections(READERS).acquire_timeout(ACQUIRE);
        let readers = readers.connect_with(options.read_only(true)).await.map_err(open)?;
        Ok(Self { writer, readers })
    }

    /// Starts a transaction that writes. There is one at a time; others wait.
    ///
    /// # Errors
    /// [`StoreError::Busy`], [`StoreError::Unsynced`] and [`StoreError::Sql`].
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        failpoint!("K3");
        self.writer.begin().await
    }

    /// Resolves when the disk has failed to keep what it was given: the process has to end, and the next start takes up what is there.
    pub async fn broken(&self) {
        self.writer.broken().await;
    }

    /// Writes what the log holds into the file and closes both.
    pub async fn close(&self) {
        self.readers.close().await;
        failpoint!("K21");
        self.writer.close().await;
    }

    /// Version of the SQLite that is built in.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn sqlite_version(&self) -> Result<String, StoreError> {
        Ok(sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&self.readers).await?)
    }
}

/// A transaction that writes; dropped without [`Tx::commit`] it changes nothing.
#[derive(Debug)]
pub struct Tx {
    desk: OwnedMutexGuard<Desk>,
}

impl Tx {
    /// Makes it all permanent.
    ///
    /// # Errors
    /// [`StoreError::Lost`] and [`StoreError::Sql`]; nothing has changed then.
    pub async fn commit(self) -> Result<(), StoreError> {
        group::commit(self.desk).await
    }

    fn conn(&mut self) -> &mut SqliteConnection {
        self.desk.conn()
    }
}
