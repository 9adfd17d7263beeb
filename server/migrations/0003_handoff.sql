-- Counters of automatic replies begin anew after this seq: a person has handed the conversation back.
ALTER TABLE conversations ADD COLUMN counted_from BIGINT NOT NULL DEFAULT 0;

-- What the owner made of a suggestion: the text that was sent, and how many characters it is away from the draft.
ALTER TABLE suggestions ADD COLUMN sent TEXT;
ALTER TABLE suggestions ADD COLUMN distance BIGINT;
ALTER TABLE suggestions ADD COLUMN settled_at BIGINT;
