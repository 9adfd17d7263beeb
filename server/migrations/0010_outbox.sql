-- What leaves the machine by itself: written with what causes it, sent afterwards, marked when it is sent. Times are milliseconds since 1970.
CREATE TABLE parcels (
    id TEXT PRIMARY KEY NOT NULL,
    -- mail, webhook, ntfy, browser
    channel TEXT NOT NULL,
    -- Address, id of the webhook, topic.
    target TEXT NOT NULL,
    -- What happened, as notify.toml names it.
    event TEXT NOT NULL,
    -- The conversation it is about; empty for none.
    conversation TEXT NOT NULL,
    -- JSON; emptied when nothing more is to be sent.
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    -- queued, leased, sent, failed, digest (waits for the end of the quiet hours, or went out with the others)
    status TEXT NOT NULL,
    -- Why it was not sent the last time.
    error TEXT NOT NULL,
    -- Fencing token of who sends it.
    lease TEXT,
    -- When it was sent or given up.
    ended_at BIGINT
);
CREATE INDEX parcels_by_due ON parcels (status, due_at);
CREATE INDEX parcels_by_time ON parcels (created_at);

-- Targets that said they want nothing more (410 Gone).
CREATE TABLE stopped_targets (
    channel TEXT NOT NULL,
    target TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (channel, target)
);

-- Mails whose answers belong into a conversation: known by a secret in their Message-ID, of which a hash is kept.
CREATE TABLE mail_threads (
    token_hash TEXT PRIMARY KEY NOT NULL,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    -- Whose answer it is: owner, visitor
    side TEXT NOT NULL,
    -- E-mail address in lower case.
    recipient TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX mail_threads_by_conversation ON mail_threads (conversation);

-- How far a mailbox has been read.
CREATE TABLE mailboxes (
    name TEXT PRIMARY KEY NOT NULL,
    uid_validity BIGINT NOT NULL,
    last_uid BIGINT NOT NULL
);

-- When a message that came by mail was written, where that is not when it was stored.
ALTER TABLE messages ADD COLUMN written_at BIGINT;
