-- The audit log: what tools agents called, with which token, and what came of it.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    -- No reference: an entry outlives whatever it tells of.
    token_id INTEGER NOT NULL,
    token_name TEXT NOT NULL,
    tool TEXT NOT NULL,
    -- The beginning of the arguments, as JSON.
    arguments TEXT NOT NULL,
    -- The code of the refusal; NULL if it was answered.
    refusal TEXT,
    answer_bytes INTEGER NOT NULL,
    took_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX audit_by_token ON audit (token_id, id);
