-- Questions that the documents did not answer, as they were gathered last: rows are replaced as a whole.
CREATE TABLE gaps (
    id TEXT PRIMARY KEY NOT NULL,
    -- From 0, the greatest first.
    place BIGINT NOT NULL,
    -- The question that stands for all, masked.
    label TEXT NOT NULL,
    -- Visitors who asked.
    count BIGINT NOT NULL,
    -- Mean failure, 0 to 1.
    failure DOUBLE PRECISION NOT NULL,
    rank DOUBLE PRECISION NOT NULL,
    -- The proposal that answers it.
    proposal TEXT
);
CREATE TABLE gap_questions (
    gap TEXT NOT NULL REFERENCES gaps (id) ON DELETE CASCADE,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    place BIGINT NOT NULL,
    -- Masked.
    text TEXT NOT NULL,
    PRIMARY KEY (gap, conversation, seq)
);

-- Entries for the knowledge, drafted from what owners have answered.
CREATE TABLE proposals (
    id TEXT PRIMARY KEY NOT NULL,
    question TEXT NOT NULL,
    answer TEXT NOT NULL,
    -- JSON list of conversations.
    sources TEXT NOT NULL,
    -- pending, accepted, rejected, expired
    status TEXT NOT NULL,
    -- 1 when its question is a golden one.
    learned BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    settled_at BIGINT
);
CREATE INDEX proposals_by_status ON proposals (status, made_at);
