-- One-time codes. What is kept of a code is a salted hash, made when its mail is sent.
CREATE TABLE codes (
    id TEXT PRIMARY KEY NOT NULL,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    -- In lower case.
    email TEXT NOT NULL,
    -- wanted, sending, sent, used, over (no tries left), unsent, outdated (another one was wanted)
    status TEXT NOT NULL,
    salt TEXT,
    hash TEXT,
    -- Codes that were tried.
    tries BIGINT NOT NULL,
    -- Mails that were tried.
    attempts BIGINT NOT NULL,
    wanted_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    -- When the mail went out, 0 while it has not.
    sent_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX codes_by_status ON codes (status, due_at);
CREATE INDEX codes_by_conversation ON codes (conversation, wanted_at);
CREATE INDEX codes_by_email ON codes (email, sent_at);
CREATE INDEX codes_by_time ON codes (sent_at);

-- The address that a visitor has shown to be theirs, and until when that counts.
CREATE TABLE proofs (
    conversation TEXT PRIMARY KEY NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    email TEXT NOT NULL,
    at BIGINT NOT NULL,
    until BIGINT NOT NULL
);

-- Calls of the owner's actions. One that has begun is leased; a write is never begun twice once its request may have arrived.
CREATE TABLE calls (
    -- Also its Idempotency-Key.
    id TEXT PRIMARY KEY NOT NULL,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    -- The visitor's request: each is called once.
    request TEXT NOT NULL,
    action TEXT NOT NULL,
    title TEXT NOT NULL,
    -- waiting_owner, ready, running, done, failed, unknown, refused
    status TEXT NOT NULL,
    -- Whose account it is: the address that was proved.
    subject TEXT,
    -- JSON object.
    arguments TEXT NOT NULL,
    -- JSON lists of rows: what was asked for and what was shown, for people.
    shown_arguments TEXT NOT NULL,
    result TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    lease TEXT,
    created_at BIGINT NOT NULL,
    UNIQUE (conversation, request)
);
CREATE INDEX calls_by_status ON calls (status, due_at);
CREATE INDEX calls_by_conversation ON calls (conversation, status);
CREATE INDEX calls_by_time ON calls (created_at);

-- What happened to a call, in order. Nothing here is changed afterwards.
CREATE TABLE call_events (
    call_id TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    n BIGINT NOT NULL,
    at BIGINT NOT NULL,
    what TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (call_id, n)
);
