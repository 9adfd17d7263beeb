//! What the visitors' messages were read as, and the tag that a conversation shows.

use engine::intent::Scored;
use sqlx::FromRow;

use super::{Store, StoreError, Tx};

const FORGET: &str = "DELETE FROM tags WHERE conversation = $1 AND seq = $2";
const INSERT: &str = "INSERT INTO tags (conversation, seq, place, intent, label, score) \
    VALUES ($1, $2, $3, $4, $5, $6)";
const OF: &str = "SELECT seq, intent, label, score FROM tags WHERE conversation = $1 AND seq >= $2 ORDER BY seq, place";
/// What the owner has put right counts before what was read, and a newer message before an older one.
const SHOW: &str = "UPDATE conversations SET tag = (SELECT label FROM \
    (SELECT seq, label, 0 AS rank FROM corrections WHERE conversation = $1 \
    UNION ALL SELECT seq, label, 1 AS rank FROM tags WHERE conversation = $1 AND place = 0) AS said \
    ORDER BY seq DESC, rank LIMIT 1) WHERE id = $1";

/// Intents of the newest message that has any, the owner's own word before what was read.
const INTENTS: &str = "SELECT intent FROM \
    (SELECT seq, intent, -1 AS place FROM corrections WHERE conversation = $1 \
    UNION ALL SELECT seq, intent, place FROM tags WHERE conversation = $1) AS said \
    WHERE seq = (SELECT MAX(seq) FROM (SELECT seq FROM corrections WHERE conversation = $1 \
    UNION ALL SELECT seq FROM tags WHERE conversation = $1) AS tagged) ORDER BY place";
/// Intents of a conversation at most: one primary, two secondary.
const MAX_INTENTS: usize = 3;

/// A tag of a message.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Tag {
    /// The message.
    pub seq: i64,
    /// Id of the intent, or `off_topic`.
    pub intent: String,
    /// Its label.
    pub label: String,
    /// Share of the belief, 0 to 1.
    pub score: f64,
}

impl Store {
    /// The tags of a conversation's messages from `seq` on, each message's primary one first.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn tags(&self, conversation: &str, seq: i64) -> Result<Vec<Tag>, StoreError> {
        Ok(sqlx::query_as(OF).bind(conversation).bind(seq).fetch_all(&self.readers).await?)
    }
}

impl Tx {
    /// Stores what a message was read as, in place of an earlier reading.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn set_tags(
        &mut self,
        (conversation, seq): (&str, i64),
        tags: &[Scored],
    ) -> Result<(), StoreError> {
        sqlx::query(FORGET).bind(conversation).bind(seq).execute(self.conn()).await?;
        for (tag, place) in tags.iter().zip(0_i64..) {
            sqlx::query(INSERT)
                .bind(conversation)
                .bind(seq)
                .bind(place)
                .bind(&tag.id)
                .bind(&tag.label)
                .bind(f64::from(tag.score))
                .execute(self.conn())
                .await?;
        }
        Ok(())
    }

    /// What a conversation is about: ids of intents, the primary one first.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn intents_of(&mut self, conversation: &str) -> Result<Vec<String>, StoreError> {
        let query = sqlx::query_scalar(INTENTS).bind(conversation);
        let all: Vec<String> = query.fetch_all(self.conn()).await?;
        let mut intents: Vec<String> = Vec::new();
        for intent in all {
            if intents.len() < MAX_INTENTS && !intents.contains(&intent) {
                intents.push(intent);
            }
        }
        Ok(intents)
    }

    /// Gives a conversation the primary tag of its newest message that has one.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn show_tag(&mut self, conversation: &str) -> Result<(), StoreError> {
        sqlx::query(SHOW).bind(conversation).execute(self.conn()).await?;
        Ok(())
    }
}
