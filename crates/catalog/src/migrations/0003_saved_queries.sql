-- Lists have one entry a line; a name has no line feed in it.

CREATE TABLE saved_queries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client_id INTEGER NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    -- NULL for those that were made with the client.
    owner_token_id INTEGER REFERENCES api_tokens (id),
    is_private INTEGER NOT NULL CHECK (is_private IN (0, 1)),
    name TEXT NOT NULL COLLATE NOCASE,
    description TEXT NOT NULL,
    query TEXT NOT NULL,
    range_from TEXT,
    range_to TEXT,
    is_oldest_first INTEGER NOT NULL CHECK (is_oldest_first IN (0, 1)),
    columns TEXT NOT NULL,
    tags TEXT NOT NULL,
    sources TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK (is_private = 0 OR owner_token_id IS NOT NULL)
) STRICT;

CREATE UNIQUE INDEX saved_queries_shared ON saved_queries (client_id, name) WHERE is_private = 0;

CREATE UNIQUE INDEX saved_queries_private ON saved_queries (owner_token_id, client_id, name) WHERE is_private = 1;

-- Whether the client has had its first saved queries: those that somebody deletes do not come back.
ALTER TABLE clients ADD COLUMN has_starters INTEGER NOT NULL DEFAULT 0 CHECK (has_starters IN (0, 1));
