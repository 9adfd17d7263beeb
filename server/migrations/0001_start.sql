-- Owners, their sessions, conversations and all that belongs to one. Times are milliseconds since 1970.
CREATE TABLE owners (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE setup_links (
    token_hash TEXT PRIMARY KEY NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    token_hash TEXT PRIMARY KEY NOT NULL,
    owner_id TEXT NOT NULL REFERENCES owners (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE conversations (
    id TEXT PRIMARY KEY NOT NULL,
    -- Hash of the secret that the visitor's browser keeps.
    token_hash TEXT NOT NULL,
    -- Changes when the history was restored from a backup.
    epoch TEXT NOT NULL,
    state TEXT NOT NULL,
    -- Rises whenever another holder takes the conversation; fences drafts.
    generation BIGINT NOT NULL,
    -- Newest seq.
    head BIGINT NOT NULL,
    -- Newest seq that an owner has seen.
    owner_read BIGINT NOT NULL,
    -- Newest seq that the visitor has seen.
    visitor_read BIGINT NOT NULL,
    -- Name of the person who holds it.
    author TEXT,
    -- Primary intent of the newest visitor message.
    tag TEXT,
    -- Why a person is asked for.
    reason TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX conversations_by_token ON conversations (token_hash);
CREATE INDEX conversations_by_time ON conversations (updated_at);

CREATE TABLE messages (
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    -- Dense from 1.
    seq BIGINT NOT NULL,
    speaker TEXT NOT NULL,
    at BIGINT NOT NULL,
    text TEXT NOT NULL,
    -- JSON as in the wire protocol.
    pieces TEXT NOT NULL,
    citations TEXT NOT NULL,
    draft_id TEXT,
    client_msg_id TEXT,
    author TEXT,
    -- The visitor's message that an automatic reply answers: at most one reply each.
    reply_to BIGINT,
    PRIMARY KEY (conversation, seq)
);
CREATE UNIQUE INDEX messages_once ON messages (conversation, speaker, client_msg_id);
CREATE UNIQUE INDEX messages_one_reply ON messages (conversation, reply_to);

CREATE TABLE jobs (
    id TEXT PRIMARY KEY NOT NULL,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    for_seq BIGINT NOT NULL,
    -- Generation of the conversation when the job was made.
    generation BIGINT NOT NULL,
    -- queued, leased, done
    status TEXT NOT NULL,
    -- Fencing token of the worker that holds it.
    lease TEXT,
    leased_until BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (conversation, for_seq)
);
CREATE INDEX jobs_by_status ON jobs (status, created_at);

CREATE TABLE suggestions (
    id TEXT PRIMARY KEY NOT NULL,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    for_seq BIGINT NOT NULL,
    text TEXT NOT NULL,
    pieces TEXT NOT NULL,
    citations TEXT NOT NULL,
    confidence DOUBLE PRECISION NOT NULL,
    -- open, accepted, edited, discarded, outdated
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX suggestions_by_conversation ON suggestions (conversation, status);

CREATE TABLE decisions (
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    for_seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    -- JSON as in the wire protocol.
    body TEXT NOT NULL,
    PRIMARY KEY (conversation, for_seq)
);
