-- What happens in chats, as one stream that every figure follows from. Rows are only ever added.
CREATE TABLE events (
    -- Its place, rising.
    n BIGINT PRIMARY KEY NOT NULL,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    conversation TEXT REFERENCES conversations (id) ON DELETE CASCADE,
    session TEXT,
    name TEXT NOT NULL,
    -- JSON object.
    data TEXT NOT NULL
);
CREATE INDEX events_by_conversation ON events (conversation, n);
CREATE INDEX events_by_name ON events (name, at);

-- Visits in which the chat was opened, or that the owner has made for trying out.
CREATE TABLE visits (
    session TEXT PRIMARY KEY NOT NULL,
    visitor TEXT NOT NULL,
    page TEXT NOT NULL,
    referrer TEXT NOT NULL,
    campaign TEXT NOT NULL,
    -- 1 for trying out: what happens in it counts nowhere.
    staging BIGINT NOT NULL,
    -- 0 while nothing was opened.
    opened_at BIGINT NOT NULL
);
CREATE INDEX visits_by_time ON visits (opened_at);

-- The visit in which it began, and the browser; none when the widget did not say.
ALTER TABLE conversations ADD COLUMN session TEXT;
ALTER TABLE conversations ADD COLUMN visitor TEXT;
-- The timers of the case that runs: its place, its first message, the oldest one without a reply, the first replies, messages, its end.
ALTER TABLE conversations ADD COLUMN case_place BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN case_began_at BIGINT;
ALTER TABLE conversations ADD COLUMN case_waits_since BIGINT;
ALTER TABLE conversations ADD COLUMN case_bot_at BIGINT;
ALTER TABLE conversations ADD COLUMN case_owner_at BIGINT;
ALTER TABLE conversations ADD COLUMN case_turns BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN case_resolved_at BIGINT;
CREATE INDEX conversations_by_visitor ON conversations (visitor);
CREATE INDEX conversations_by_session ON conversations (session);
