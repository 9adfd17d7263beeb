-- A reply waits until the visitor has fallen silent: when it is due, and the latest that more words may put it off to.
ALTER TABLE jobs ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN due_by BIGINT NOT NULL DEFAULT 0;
UPDATE jobs SET due_at = created_at, due_by = created_at;
CREATE INDEX jobs_by_due ON jobs (status, due_at);
