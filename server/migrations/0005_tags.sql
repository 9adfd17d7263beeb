-- What the visitors' messages were read as, best first: place 0 is the primary tag, 1 and 2 are secondary ones. A message that belongs
-- to no intent has the one tag `off_topic`.
CREATE TABLE tags (
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    place BIGINT NOT NULL,
    intent TEXT NOT NULL,
    label TEXT NOT NULL,
    -- Share of the belief, 0 to 1.
    score DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (conversation, seq, place)
);

-- Primary tags as the owner put them right, with the words that they were about: examples that teach the intents. They go with their
-- conversation.
CREATE TABLE corrections (
    id TEXT PRIMARY KEY NOT NULL,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    intent TEXT NOT NULL,
    label TEXT NOT NULL,
    text TEXT NOT NULL,
    at BIGINT NOT NULL,
    UNIQUE (conversation, seq)
);
CREATE INDEX corrections_by_intent ON corrections (intent, at);
