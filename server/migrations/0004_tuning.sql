-- What the owner has chosen in the console, by name.
CREATE TABLE choices (
    name TEXT PRIMARY KEY NOT NULL,
    -- JSON
    value TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX decisions_by_time ON decisions (at);
CREATE INDEX suggestions_by_verdict ON suggestions (settled_at);
