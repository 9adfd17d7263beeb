-- The cases of all conversations as they follow from the events: a cache, made anew from them at any time.
CREATE TABLE cases (
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    -- From 1.
    place BIGINT NOT NULL,
    began_at BIGINT NOT NULL,
    -- JSON.
    body TEXT NOT NULL,
    PRIMARY KEY (conversation, place)
);
CREATE INDEX cases_by_time ON cases (began_at);

-- How far the stream of events has been read into the cases, and in which form they are written.
CREATE TABLE cases_read (
    one BIGINT PRIMARY KEY NOT NULL,
    n BIGINT NOT NULL,
    form BIGINT NOT NULL
);
INSERT INTO cases_read (one, n, form) VALUES (1, 0, 0);

-- The one thing to do in each week, its figure before, and what became of it.
CREATE TABLE weekly_items (
    -- The Monday on which it was chosen: 2026-11-16.
    week TEXT PRIMARY KEY NOT NULL,
    -- When that week begins and ends, in the owner's time zone as it was then.
    from_at BIGINT NOT NULL,
    to_at BIGINT NOT NULL,
    -- Empty when nothing stood out.
    measure TEXT NOT NULL,
    -- A tag or a reason; empty for all cases.
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    -- 1 for the owner's own words.
    own BIGINT NOT NULL,
    before_hits BIGINT NOT NULL,
    before_of BIGINT NOT NULL,
    -- Its figure of the week that followed, once that is over.
    after_hits BIGINT,
    after_of BIGINT,
    done_at BIGINT
);
