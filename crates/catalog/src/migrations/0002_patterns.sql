-- What the messages of each source have in common, and since when. A form is bytes, since U+0000 stands in it for each place.
-- Counts and the sequence number up to which they reach are written in one transaction, so that no event is counted twice or not at all.

CREATE TABLE patterns (
    source_id INTEGER NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
    form BLOB NOT NULL,
    text TEXT NOT NULL,
    count INTEGER NOT NULL CHECK (count >= 0),
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    PRIMARY KEY (source_id, form)
) STRICT, WITHOUT ROWID;

CREATE TABLE patterns_learnt (
    source_id INTEGER PRIMARY KEY REFERENCES sources (id) ON DELETE CASCADE,
    up_to_sequence INTEGER NOT NULL,
    forgotten INTEGER NOT NULL CHECK (forgotten >= 0)
) STRICT;
