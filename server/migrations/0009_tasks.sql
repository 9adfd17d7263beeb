-- What is shown with a message beside its text: JSON as in the wire protocol.
ALTER TABLE messages ADD COLUMN card TEXT;

-- What is being done with a visitor step by step, and what it has brought so far.
CREATE TABLE tasks (
    conversation TEXT PRIMARY KEY NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    -- JSON of the task; NULL when none is on.
    task TEXT,
    -- JSON list of rows: what the owner's summary shows.
    collected TEXT NOT NULL,
    -- What file the visitor may send, and until when.
    upload_what TEXT NOT NULL,
    upload_until BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
