-- Texts that the owner sends again and again, with slots such as {email} that a conversation fills.
CREATE TABLE saved_replies (
    id TEXT PRIMARY KEY NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    -- Id of the intent that it belongs to.
    intent TEXT,
    updated_at BIGINT NOT NULL
);
