-- Times are nanoseconds since 1970 UTC; tokens are SHA-256 hashes; months are year * 100 + month.
-- AUTOINCREMENT: an id is never given out twice, because events and answers outlive their source.

CREATE TABLE organisations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE clients (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organisation_id INTEGER NOT NULL REFERENCES organisations (id),
    name TEXT NOT NULL COLLATE NOCASE,
    created_at INTEGER NOT NULL,
    UNIQUE (organisation_id, name)
) STRICT;

CREATE TABLE api_tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organisation_id INTEGER NOT NULL REFERENCES organisations (id),
    name TEXT NOT NULL,
    purpose TEXT NOT NULL CHECK (purpose IN ('general', 'command_line')),
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    ending TEXT NOT NULL,
    access TEXT NOT NULL CHECK (access IN ('read', 'write', 'admin')),
    all_clients INTEGER NOT NULL CHECK (all_clients IN (0, 1)),
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT;

CREATE TABLE api_token_clients (
    api_token_id INTEGER NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
    client_id INTEGER NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    PRIMARY KEY (api_token_id, client_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX api_token_clients_by_client ON api_token_clients (client_id);

CREATE TABLE sources (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client_id INTEGER NOT NULL REFERENCES clients (id),
    name TEXT NOT NULL COLLATE NOCASE,
    platform TEXT NOT NULL,
    table_name TEXT NOT NULL,
    ingesting_paused INTEGER NOT NULL CHECK (ingesting_paused IN (0, 1)),
    quota_bytes_per_month INTEGER CHECK (quota_bytes_per_month >= 0),
    retention_days INTEGER CHECK (retention_days > 0),
    disk_bytes_max INTEGER CHECK (disk_bytes_max > 0),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (client_id, name),
    UNIQUE (client_id, table_name)
) STRICT;

-- Their events outlive them in the store, for a while; see deleted_sources.rs.
CREATE TABLE deleted_sources (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    deleted_at INTEGER NOT NULL
) STRICT;

CREATE TABLE source_tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source_id INTEGER NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    ending TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    expires_at INTEGER
) STRICT;

CREATE INDEX source_tokens_by_source ON source_tokens (source_id);

CREATE TABLE usage (
    source_id INTEGER NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
    month INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY (source_id, month)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_refused (
    source_id INTEGER NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
    month INTEGER NOT NULL,
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (source_id, month, reason)
) STRICT, WITHOUT ROWID;
