//! The one connection that writes, and group commit: transactions that come while the disk is busy share the next commit.
//!
//! The first one of a group begins the transaction and queues a flush behind itself; whoever was waiting by then is ahead of it and joins
//! with a savepoint of its own. So a quiet server commits at once, and a busy one as often as the disk can.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};
use tokio::sync::{Mutex, OwnedMutexGuard, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{StoreError, Tx};

const BEGIN: &str = "BEGIN IMMEDIATE";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";
/// They nest under one name: the newest one is meant, and the commit ends them all.
const JOIN: &str = "SAVEPOINT member";
const LEAVE: &str = "ROLLBACK TO member";

/// A group takes no more members after this time.
const LONGEST: Duration = Duration::from_millis(5);
/// How long a request waits for its turn to write.
const TURN: Duration = Duration::from_secs(10);
/// SQLite's codes for a file or folder that could not be synced (`SQLITE_IOERR_FSYNC`, `SQLITE_IOERR_DIR_FSYNC`).
const UNSYNCED: [&str; 2] = ["1034", "1290"];

type Ran<'a> = Pin<Box<dyn Future<Output = Result<(), sqlx::Error>> + Send + 'a>>;

/// What became of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Open,
    Kept,
    Lost,
}

/// The connection that writes. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    desk: Arc<Mutex<Desk>>,
    /// Cancelled when the disk has failed to keep what it was given: nothing may be believed of it any more.
    broken: CancellationToken,
}

/// What the holder of the lock has before it.
#[derive(Debug)]
pub(super) struct Desk {
    conn: SqliteConnection,
    group: Option<Group>,
    /// How to undo the changes of the member that has the connection, or that was dropped half-way.
    undo: Option<&'static str>,
    broken: CancellationToken,
}

#[derive(Debug)]
struct Group {
    began: Instant,
    fate: watch::Sender<Fate>,
}

impl Writer {
    /// Connects.
    pub(super) async fn open(options: &SqliteConnectOptions) -> Result<Self, sqlx::Error> {
        let broken = CancellationToken::new();
        let conn = options.connect().await?;
        let desk = Desk { conn, group: None, undo: None, broken: broken.clone() };
        Ok(Self { desk: Arc::new(Mutex::new(desk)), broken })
    }

    /// The connection outside of any transaction: what was open is committed first.
    pub(super) async fn alone(&self) -> OwnedMutexGuard<Desk> {
        let mut desk = Arc::clone(&self.desk).lock_owned().await;
        desk.flush().await;
        desk
    }

    /// Starts a transaction within the group that is open, or within a new one.
    pub(super) async fn begin(&self) -> Result<Tx, StoreError> {
        let turn = timeout(TURN, Arc::clone(&self.desk).lock_owned()).await;
        let mut desk = turn.map_err(|_| StoreError::Busy)?;
        if self.broken.is_cancelled() {
            return Err(StoreError::Unsynced);
        }
        let full = desk.group.as_ref().is_some_and(|group| group.began.elapsed() > LONGEST);
        if full || desk.undo.is_some() {
            // Whoever asked may go away at any time, and the group must learn its fate all the same.
            let tidied = tokio::spawn(async move {
                desk.mend().await;
                if full {
                    desk.flush().await;
                }
                desk
            });
            desk = tidied.await.map_err(|_| StoreError::Lost)?;
        }
        if desk.group.is_some() {
            desk.run(JOIN).await?;
            // Noted afterwards: without a savepoint of its own it would undo the member before.
            desk.undo = Some(LEAVE);
            return Ok(Tx { desk });
        }
        // Noted first: whoever is dropped meanwhile leaves no transaction behind.
        desk.undo = Some(ROLLBACK);
        desk.run(BEGIN).await?;
        desk.group = Some(Group { began: Instant::now(), fate: watch::Sender::new(Fate::Open) });
        let behind = Arc::clone(&self.desk).lock_owned();
        tokio::spawn(async move { behind.await.flush().await });
        Ok(Tx { desk })
    }

    /// Resolves when the disk has failed to keep what it was given.
    pub(super) async fn broken(&self) {
        self.broken.cancelled().await;
    }

    /// Commits what is open and writes the log back into the file.
    pub(super) async fn close(&self) {
        let mut desk = self.alone().await;
        if let Err(error) = desk.run("PRAGMA wal_checkpoint(TRUNCATE)").await {
            tracing::warn!(%error, "the database's log could not be written back; the next start does it");
        }
    }
}

impl Desk {
    /// The connection.
    pub(super) fn conn(&mut self) -> &mut SqliteConnection {
        &mut self.conn
    }

    /// Boxed, as the compiler cannot see that sqlx's own future may be sent between threads.
    fn run<'a>(&'a mut self, statement: &'static str) -> Ran<'a> {
        Box::pin(async move { sqlx::query(statement).execute(&mut self.conn).await.map(|_| ()) })
    }

    /// Undoes what a member has done that was dropped half-way. Where that fails, SQLite has undone the whole group already.
    async fn mend(&mut self) {
        let Some(undo) = self.undo.take() else { return };
        if self.run(undo).await.is_err() || undo == ROLLBACK {
            self.lose().await;
        }
    }

    /// Commits the open group, if there is one, and tells its members.
    async fn flush(&mut self) {
        self.mend().await;
        if self.group.is_none() {
            return;
        }
        failpoint!("K5");
        match self.run(COMMIT).await {
            Ok(()) => {
                failpoint!("K6");
                self.tell(Fate::Kept);
            }
            Err(error) => {
                tracing::error!(%error, "the database could not commit");
                if is_unsynced(&error) {
                    self.broken.cancel();
                }
                self.lose().await;
            }
        }
    }

    /// Gives the open group up.
    async fn lose(&mut self) {
        // Where SQLite has rolled back by itself there is nothing to roll back.
        let _ = self.run(ROLLBACK).await;
        self.tell(Fate::Lost);
    }

    fn tell(&mut self, fate: Fate) {
        if let Some(group) = self.group.take() {
            group.fate.send_replace(fate);
        }
    }
}

/// Whether a file could not be synced. What the system has thrown away then, a later sync will not bring back, however well it ends.
fn is_unsynced(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| UNSYNCED.contains(&code.as_ref()))
}

/// Ends a transaction: its changes are permanent when this returns, together with those of its group.
pub(super) async fn commit(mut desk: OwnedMutexGuard<Desk>) -> Result<(), StoreError> {
    let fate = desk.group.as_ref().map(|group| group.fate.subscribe());
    desk.undo = None;
    drop(desk);
    let Some(mut fate) = fate else { return Err(StoreError::Lost) };
    match fate.wait_for(|fate| *fate != Fate::Open).await.as_deref() {
        Ok(Fate::Kept) => Ok(()),
        _ => Err(StoreError::Lost),
    }
}
