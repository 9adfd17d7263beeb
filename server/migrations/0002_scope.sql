-- Where the visitor wrote a message from: JSON as in the wire protocol, empty for nowhere in particular.
ALTER TABLE messages ADD COLUMN scope TEXT NOT NULL DEFAULT '';
