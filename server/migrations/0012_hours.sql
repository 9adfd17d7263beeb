-- What is to be done later: one row for each kind and subject. A row goes in the transaction that does what it is for.
CREATE TABLE due (
    kind TEXT NOT NULL,
    -- What it is about, for most kinds a conversation.
    subject TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    -- JSON that the kind understands.
    body TEXT NOT NULL,
    -- How often it was tried in vain, when it may be tried again, and what was wrong.
    tries BIGINT NOT NULL,
    try_at BIGINT NOT NULL,
    -- 1 when it is tried no more.
    parked BIGINT NOT NULL,
    error TEXT,
    PRIMARY KEY (kind, subject)
);
CREATE INDEX due_by_time ON due (parked, due_at);

-- Hand-offs, what the visitor was told about when somebody replies, and when somebody did.
CREATE TABLE promises (
    id TEXT PRIMARY KEY NOT NULL,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    made_at BIGINT NOT NULL,
    -- The minutes that the visitor was told; none when no figure was.
    minutes BIGINT,
    -- When a reply was promised for; none when nothing was.
    due_at BIGINT,
    -- When the owner's first message was written.
    kept_at BIGINT,
    -- When the conversation ended or went back to the bot without one.
    dropped_at BIGINT
);
CREATE INDEX promises_by_conversation ON promises (conversation, made_at);
CREATE INDEX promises_by_time ON promises (kept_at);

CREATE TABLE tickets (
    id TEXT PRIMARY KEY NOT NULL,
    -- From 1, for people.
    number BIGINT NOT NULL UNIQUE,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    subject TEXT NOT NULL,
    summary TEXT NOT NULL,
    -- JSON list.
    tags TEXT NOT NULL,
    -- low, normal, high, urgent
    priority TEXT NOT NULL,
    -- open, pending, solved
    status TEXT NOT NULL,
    email TEXT,
    -- `bot`, or the name of the owner.
    made_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX tickets_by_time ON tickets (created_at);
CREATE INDEX tickets_by_conversation ON tickets (conversation);

-- What became of a ticket; rows are only ever added.
CREATE TABLE ticket_events (
    ticket TEXT NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
    -- Dense from 1.
    place BIGINT NOT NULL,
    at BIGINT NOT NULL,
    made_by TEXT NOT NULL,
    -- made, status, priority, subject, summary, tags, email, replied
    what TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (ticket, place)
);
-- The newest number that was given; it is never given again.
CREATE TABLE ticket_numbers (
    one BIGINT PRIMARY KEY NOT NULL,
    newest BIGINT NOT NULL
);
INSERT INTO ticket_numbers (one, newest) VALUES (1, 0);
