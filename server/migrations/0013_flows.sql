-- What visitors have left in a flow that asks for it: one row for a conversation and flow.
CREATE TABLE leads (
    id TEXT PRIMARY KEY NOT NULL,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    flow TEXT NOT NULL,
    -- Name of the flow for people, as it was then.
    title TEXT NOT NULL,
    level TEXT NOT NULL,
    status TEXT NOT NULL,
    -- JSON list of rows.
    slots TEXT NOT NULL,
    -- 1 when the owner was told at once.
    urgent BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (conversation, flow)
);
CREATE INDEX leads_by_time ON leads (updated_at);

-- Files that visitors have sent; each lies in the data folder under its id.
CREATE TABLE files (
    id TEXT PRIMARY KEY NOT NULL,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- Read from its content.
    media TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX files_by_conversation ON files (conversation);
