//! Conversations: who holds one, since when, and what the owner's list shows.

use engine::conversation::State;
use engine::metrics::clock::Running;
use sqlx::FromRow;

use super::{Store, StoreError, Tx};
use crate::events::visits::Names;

/// The columns of [`Conversation`], of a row that is called `c`.
macro_rules! columns {
    () => {
        "c.id, c.token_hash, c.epoch, c.state, c.generation, c.head, c.owner_read, c.visitor_read, c.author, c.tag, c.reason, \
        c.created_at, c.updated_at, c.counted_from, c.visitor_delivered, c.waiting_since, c.session, c.visitor, c.case_place, \
        c.case_began_at, c.case_waits_since, c.case_bot_at, c.case_owner_at, c.case_turns, c.case_resolved_at"
    };
}
/// What the list shows of a conversation.
macro_rules! overview {
    ($which:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            ", COALESCE(m.text, '') AS last_text, COALESCE(m.speaker, 'system') AS last_from, \
            (SELECT COUNT(*) FROM messages u WHERE u.conversation = c.id AND u.speaker = 'visitor' \
            AND u.seq > c.owner_read) AS unread, v.score AS csat, v.scale AS csat_scale \
            FROM conversations c LEFT JOIN messages m ON m.conversation = c.id AND m.seq = c.head \
            LEFT JOIN surveys v ON v.conversation = c.id AND v.kind = 'csat' AND v.place = (SELECT MAX(w.place) \
            FROM surveys w WHERE w.conversation = c.id AND w.kind = 'csat' AND w.score IS NOT NULL) ",
            $which
        )
    };
}

const BY_ID: &str = concat!("SELECT ", columns!(), " FROM conversations c WHERE c.id = $1");
const BY_TOKEN: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM conversations c WHERE c.token_hash = $1 ORDER BY c.created_at DESC, c.id LIMIT 1"
);
const RECEIVING: &str = concat!(
    "SELECT ",
    columns!(),
    ", m.seq AS sent_seq, m.at AS sent_at, m.text AS sent_text, \
    (SELECT COUNT(*) FROM suggestions s WHERE s.conversation = c.id AND s.status = 'open') AS open_suggestions, \
    (SELECT MAX(j.due_by) FROM jobs j WHERE j.conversation = c.id AND j.status <> 'done') AS unfinished_by \
    FROM conversations c LEFT JOIN messages m ON m.conversation = c.id AND m.speaker = 'visitor' \
    AND m.client_msg_id = $2 WHERE c.id = $1"
);
const OVERVIEW: &str = overview!("WHERE c.id = $1");
const NEWEST: &str = overview!("ORDER BY c.updated_at DESC, c.id LIMIT $1");
const INSERT: &str = "INSERT INTO conversations (id, token_hash, epoch, state, generation, head, owner_read, \
    visitor_read, author, tag, reason, created_at, updated_at, session, visitor) \
    VALUES ($1, $2, $3, $4, 0, 0, 0, 0, NULL, NULL, NULL, $5, $5, $6, $7)";
const UPDATE: &str = "UPDATE conversations SET state = $2, generation = $3, head = $4, owner_read = $5, \
    visitor_read = $6, author = $7, tag = $8, reason = $9, updated_at = $10, counted_from = $11, \
    visitor_delivered = $12, waiting_since = $13, case_place = $14, case_began_at = $15, case_waits_since = $16, \
    case_bot_at = $17, case_owner_at = $18, case_turns = $19, case_resolved_at = $20 WHERE id = $1";
const IDS: &str = "SELECT id FROM conversations WHERE id > $1 ORDER BY id LIMIT $2";
const WAITING: &str =
    "SELECT id FROM conversations WHERE state = 'waiting' ORDER BY waiting_since, id LIMIT $1";
const PLACE: &str = "SELECT COUNT(*) FROM conversations me JOIN conversations other ON other.state = 'waiting' \
    WHERE me.id = $1 AND me.state = 'waiting' AND (other.waiting_since < me.waiting_since \
    OR (other.waiting_since = me.waiting_since AND other.id <= me.id))";

const NEWEST_CHANGE: &str = "SELECT COALESCE(MAX(updated_at), 0) FROM conversations";
const RENEW_ALL: &str = "UPDATE conversations SET epoch = $1";
const RENEW: &str = "UPDATE conversations SET epoch = $2 WHERE id = $1";

/// A conversation as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Conversation {
    /// 32 hex digits.
    pub id: String,
    /// Hex SHA-256 of the visitor's secret.
    pub token_hash: String,
    /// Lineage of the history.
    pub epoch: String,
    /// Word of an [`engine::conversation::State`].
    pub state: String,
    /// Rises with every change of holder.
    pub generation: i64,
    /// Newest seq, 0 for none.
    pub head: i64,
    /// Newest seq that an owner has seen.
    pub owner_read: i64,
    /// Newest seq that the visitor has seen.
    pub visitor_read: i64,
    /// Name of the person who holds it.
    pub author: Option<String>,
    /// Label of the newest primary intent.
    pub tag: Option<String>,
    /// Why a person was asked for; kept while that person holds it.
    pub reason: Option<String>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub updated_at: i64,
    /// Automatic replies up to this seq count no more: a person has handed the conversation back since.
    pub counted_from: i64,
    /// Newest seq that has reached the visitor's page.
    pub visitor_delivered: i64,
    /// Since when a person is waited for, in milliseconds since 1970; of meaning in that state alone.
    pub waiting_since: i64,
    /// The visit in which it began.
    pub session: Option<String>,
    /// The browser it began in.
    pub visitor: Option<String>,
    /// What is timed in it.
    #[sqlx(flatten)]
    pub timers: Timers,
}

/// The timers of [`Running`] as they are stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromRow)]
pub struct Timers {
    case_place: i64,
    case_began_at: Option<i64>,
    case_waits_since: Option<i64>,
    case_bot_at: Option<i64>,
    case_owner_at: Option<i64>,
    case_turns: i64,
    case_resolved_at: Option<i64>,
}

impl From<&Timers> for Running {
    fn from(timers: &Timers) -> Self {
        Self {
            place: timers.case_place,
            began_at: timers.case_began_at,
            waits_since: timers.case_waits_since,
            bot_at: timers.case_bot_at,
            owner_at: timers.case_owner_at,
            turns: timers.case_turns,
            resolved_at: timers.case_resolved_at,
        }
    }
}

impl From<Running> for Timers {
    fn from(running: Running) -> Self {
        Self {
            case_place: running.place,
            case_began_at: running.began_at,
            case_waits_since: running.waits_since,
            case_bot_at: running.bot_at,
            case_owner_at: running.owner_at,
            case_turns: running.turns,
            case_resolved_at: running.resolved_at,
        }
    }
}

impl Conversation {
    /// The timers as they run now.
    pub fn running(&self) -> Running {
        Running::from(&self.timers)
    }

    /// Who holds it.
    ///
    /// # Errors
    /// [`StoreError::Meaning`] when the stored word is unknown.
    pub fn holder(&self) -> Result<State, StoreError> {
        let meaning =
            |()| StoreError::Meaning { what: "state of a conversation", value: self.state.clone() };
        self.state.parse().map_err(meaning)
    }

    /// Gives it to another holder at `now`: the generation rises, drafts on their way are void.
    pub fn pass_to(&mut self, state: State, now: i64) {
        if self.state != state.as_str() {
            self.generation += 1;
            self.waiting_since = now;
            self.state = state.as_str().into();
        }
        if state != State::Owner {
            self.author = None;
        }
        if !matches!(state, State::Waiting | State::Owner) {
            self.reason = None;
        }
    }
}

/// A conversation at the moment when a message of its visitor comes in.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Receiving {
    /// The conversation.
    #[sqlx(flatten)]
    pub conversation: Conversation,
    /// Seq of the message, if it is stored already.
    pub sent_seq: Option<i64>,
    /// When it was stored.
    pub sent_at: Option<i64>,
    /// What it says.
    pub sent_text: Option<String>,
    /// Suggestions that are open.
    pub open_suggestions: i64,
    /// The latest that the unfinished reply waits for more words, in milliseconds since 1970; `None` when all are finished.
    pub unfinished_by: Option<i64>,
}

/// A conversation with what the list shows of it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Overview {
    /// The conversation.
    #[sqlx(flatten)]
    pub conversation: Conversation,
    /// Text of the newest message.
    pub last_text: String,
    /// Who wrote it.
    pub last_from: String,
    /// Visitor's messages that no owner has seen.
    pub unread: i64,
    /// How the newest case that was rated was rated.
    pub csat: Option<i64>,
    /// The best score of that.
    pub csat_scale: Option<i64>,
}

impl Store {
    /// One conversation.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn conversation(&self, id: &str) -> Result<Option<Conversation>, StoreError> {
        Ok(sqlx::query_as(BY_ID).bind(id).fetch_optional(&self.readers).await?)
    }

    /// The conversation that was started with this secret.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn conversation_by_token(
        &self,
        token_hash: &str,
    ) -> Result<Option<Conversation>, StoreError> {
        Ok(sqlx::query_as(BY_TOKEN).bind(token_hash).fetch_optional(&self.readers).await?)
    }

    /// One conversation as the list shows it.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn overview(&self, id: &str) -> Result<Option<Overview>, StoreError> {
        Ok(sqlx::query_as(OVERVIEW).bind(id).fetch_optional(&self.readers).await?)
    }

    /// Ids after `after` in their own order, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn conversation_ids(
        &self,
        after: &str,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar(IDS).bind(after).bind(limit).fetch_all(&self.readers).await?)
    }

    /// When anything last happened in a conversation, in milliseconds since 1970; 0 for never.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn newest_change(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(NEWEST_CHANGE).fetch_one(&self.readers).await?)
    }

    /// Gives the histories of all conversations another name.
    ///
    /// # Errors
    /// [`StoreError::Sql`]; they have the old ones then.
    pub async fn renew_epochs(&self, epoch: &str) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(RENEW_ALL).bind(epoch).execute(tx.conn()).await?;
        tx.commit().await
    }

    /// Conversations that wait for a person, those who wait longest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn waiting(&self, limit: i64) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar(WAITING).bind(limit).fetch_all(&self.readers).await?)
    }

    /// Place of a conversation among those that wait for a person, from 1; `None` when it does not.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn queue_place(&self, id: &str) -> Result<Option<i64>, StoreError> {
        let place: i64 = sqlx::query_scalar(PLACE).bind(id).fetch_one(&self.readers).await?;
        Ok((place > 0).then_some(place))
    }

    /// The newest conversations, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn overviews(&self, limit: i64) -> Result<Vec<Overview>, StoreError> {
        Ok(sqlx::query_as(NEWEST).bind(limit).fetch_all(&self.readers).await?)
    }
}

impl Tx {
    /// One conversation, as it is inside this transaction.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn conversation(&mut self, id: &str) -> Result<Option<Conversation>, StoreError> {
        Ok(sqlx::query_as(BY_ID).bind(id).fetch_optional(self.conn()).await?)
    }

    /// One conversation as a visitor's message finds it.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn receiving(
        &mut self,
        id: &str,
        client_msg_id: &str,
    ) -> Result<Option<Receiving>, StoreError> {
        let query = sqlx::query_as(RECEIVING).bind(id).bind(client_msg_id);
        Ok(query.fetch_optional(self.conn()).await?)
    }

    /// The conversation that was started with this secret, as it is inside this transaction.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn conversation_by_token(
        &mut self,
        token_hash: &str,
    ) -> Result<Option<Conversation>, StoreError> {
        Ok(sqlx::query_as(BY_TOKEN).bind(token_hash).fetch_optional(self.conn()).await?)
    }

    /// Starts a conversation that the bot holds.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn start_conversation(
        &mut self,
        (id, epoch, token_hash): (String, String, String),
        visit: Option<Names>,
        now: i64,
    ) -> Result<Conversation, StoreError> {
        let state = State::Bot.as_str();
        let (session, visitor) =
            visit.map_or((None, None), |Names { session, visitor }| (Some(session), Some(visitor)));
        sqlx::query(INSERT)
            .bind(&id)
            .bind(&token_hash)
            .bind(&epoch)
            .bind(state)
            .bind(now)
            .bind(&session)
            .bind(&visitor)
            .execute(self.conn())
            .await?;
        Ok(Conversation {
            id,
            token_hash,
            epoch,
            state: state.into(),
            generation: 0,
            head: 0,
            owner_read: 0,
            visitor_read: 0,
            author: None,
            tag: None,
            reason: None,
            created_at: now,
            updated_at: now,
            counted_from: 0,
            visitor_delivered: 0,
            waiting_since: 0,
            session,
            visitor,
            timers: Timers::default(),
        })
    }

    /// Writes all that may change of a conversation.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn update_conversation(&mut self, row: &Conversation) -> Result<(), StoreError> {
        sqlx::query(UPDATE)
            .bind(&row.id)
            .bind(&row.state)
            .bind(row.generation)
            .bind(row.head)
            .bind(row.owner_read)
            .bind(row.visitor_read)
            .bind(&row.author)
            .bind(&row.tag)
            .bind(&row.reason)
            .bind(row.updated_at)
            .bind(row.counted_from)
            .bind(row.visitor_delivered)
            .bind(row.waiting_since)
            .bind(row.timers.case_place)
            .bind(row.timers.case_began_at)
            .bind(row.timers.case_waits_since)
            .bind(row.timers.case_bot_at)
            .bind(row.timers.case_owner_at)
            .bind(row.timers.case_turns)
            .bind(row.timers.case_resolved_at)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Gives the conversation's history another name.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn renew_epoch(&mut self, id: &str, epoch: &str) -> Result<(), StoreError> {
        sqlx::query(RENEW).bind(id).bind(epoch).execute(self.conn()).await?;
        Ok(())
    }
}
