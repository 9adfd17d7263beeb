-- How the cases of a conversation were resolved, each once; the newest resolve of a case counts.
CREATE TABLE resolves (
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    -- The case, from 1.
    place BIGINT NOT NULL,
    -- owner, visitor, silence
    made_by TEXT NOT NULL,
    at BIGINT NOT NULL,
    -- How annoyed the visitor's last words sounded, 0 to 1; none where no reply was made for them.
    frustration DOUBLE PRECISION,
    PRIMARY KEY (conversation, place)
);

-- What visitors were asked after a case, each kind once a case, and what they said.
CREATE TABLE surveys (
    id TEXT PRIMARY KEY NOT NULL,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    place BIGINT NOT NULL,
    -- csat, nps
    kind TEXT NOT NULL,
    -- The best score: 3, 5 or 10.
    scale BIGINT NOT NULL,
    -- stars, faces, numbers
    look TEXT NOT NULL,
    question TEXT NOT NULL,
    comment_question TEXT NOT NULL,
    -- open, answered, declined, expired
    status TEXT NOT NULL,
    score BIGINT,
    -- Personal data masked.
    comment TEXT,
    -- 1 when the visitor has said that no more follows.
    finished BIGINT NOT NULL,
    asked_at BIGINT NOT NULL,
    answered_at BIGINT,
    UNIQUE (conversation, place, kind)
);

-- Cases that deserve a second look, or got one.
CREATE TABLE reviews (
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    place BIGINT NOT NULL,
    -- csat, nps, frustration; none where the owner has chosen the case.
    why TEXT,
    -- open, done
    status TEXT NOT NULL,
    -- 1 to 3 each, together or not at all.
    clarity BIGINT,
    correctness BIGINT,
    empathy BIGINT,
    note TEXT NOT NULL,
    queued_at BIGINT NOT NULL,
    PRIMARY KEY (conversation, place)
);
CREATE INDEX reviews_by_status ON reviews (status, queued_at);
