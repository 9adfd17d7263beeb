-- Newest seq that has reached the visitor's page.
ALTER TABLE conversations ADD COLUMN visitor_delivered BIGINT NOT NULL DEFAULT 0;
UPDATE conversations SET visitor_delivered = visitor_read;
-- Since when the visitor waits for a person; its place in the queue follows from it. Says nothing in other states.
ALTER TABLE conversations ADD COLUMN waiting_since BIGINT NOT NULL DEFAULT 0;
UPDATE conversations SET waiting_since = updated_at WHERE state = 'waiting';
CREATE INDEX conversations_by_queue ON conversations (state, waiting_since, id);
