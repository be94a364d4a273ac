-- Rules, what their evaluation remembers, incidents, silences, channels, and the notices that wait to be delivered. What is written as one
-- JSON document is read and written whole by the crate that owns its shape: `rule`, `state` and `silence` by `alerts`, `notice` by `notify`.

CREATE TABLE channels (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- NULL for a channel of the provider, which rules of all clients may name.
    client_id INTEGER REFERENCES clients (id) ON DELETE CASCADE,
    name TEXT NOT NULL COLLATE NOCASE,
    kind TEXT NOT NULL,
    -- What can be shown, and what cannot: tokens, passwords and URLs that are secrets themselves.
    settings TEXT NOT NULL,
    secrets TEXT NOT NULL,
    -- Notices it takes in a minute before they are put together.
    per_minute INTEGER NOT NULL,
    -- Told of what happens to a client's rules and incidents that name no channels.
    is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)),
    is_paused INTEGER NOT NULL CHECK (is_paused IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX channels_by_name ON channels (coalesce(client_id, 0), name);

-- What a provider gives to its clients as rules; version counts its changes.
CREATE TABLE rule_templates (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organisation_id INTEGER NOT NULL REFERENCES organisations (id),
    name TEXT NOT NULL COLLATE NOCASE UNIQUE,
    description TEXT NOT NULL,
    rule TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE rules (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client_id INTEGER NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    name TEXT NOT NULL COLLATE NOCASE,
    description TEXT NOT NULL,
    rule TEXT NOT NULL,
    -- Ids of sources and of channels, one a line; none for all sources, and for the default channels.
    sources TEXT NOT NULL,
    channels TEXT NOT NULL,
    -- Why it is not evaluated; NULL if it is.
    paused TEXT,
    template_id INTEGER REFERENCES rule_templates (id) ON DELETE SET NULL,
    template_version INTEGER,
    created_by INTEGER REFERENCES api_tokens (id),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (client_id, name)
) STRICT;

-- What the machine of a rule knows, written with whatever it did in one transaction.
CREATE TABLE rule_states (
    rule_id INTEGER PRIMARY KEY REFERENCES rules (id) ON DELETE CASCADE,
    question TEXT NOT NULL,
    state TEXT NOT NULL,
    evaluated_at INTEGER NOT NULL
) STRICT;

-- What evaluations saw and said that changed something or failed, the newest of each rule.
CREATE TABLE rule_evaluations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    rule_id INTEGER NOT NULL REFERENCES rules (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    summary TEXT NOT NULL
) STRICT;

CREATE INDEX rule_evaluations_by_rule ON rule_evaluations (rule_id, id);

-- Up to which sequence number events had come when: windows of arrival begin and end here.
CREATE TABLE arrivals (
    at INTEGER PRIMARY KEY,
    sequence INTEGER NOT NULL
) STRICT;

CREATE TABLE incidents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client_id INTEGER NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    -- NULL for one that was opened by hand, or whose rule is gone.
    rule_id INTEGER REFERENCES rules (id) ON DELETE SET NULL,
    -- The rule's group, as `alerts` writes it; NULL for an incident of the whole rule.
    rule_group TEXT,
    -- Which of the rule's episodes it tells of: an incident is opened once for each.
    episode INTEGER,
    name TEXT NOT NULL,
    cause TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'error', 'critical')),
    started_at INTEGER NOT NULL,
    opened_by TEXT NOT NULL,
    acknowledged_at INTEGER,
    acknowledged_by TEXT,
    resolved_at INTEGER,
    resolved_by TEXT,
    assignee TEXT,
    -- The incident it was merged into.
    merged_into INTEGER REFERENCES incidents (id) ON DELETE SET NULL,
    -- What its opener calls it: there is one open incident of a client with a key at most.
    key TEXT,
    -- The silence that holds its notices back, and whether anybody was told yet that it opened.
    muted_by INTEGER,
    is_told INTEGER NOT NULL CHECK (is_told IN (0, 1)),
    -- A JSON object of texts, and an array of objects with title and url.
    labels TEXT NOT NULL,
    links TEXT NOT NULL,
    -- Ids of channels, one a line; none for the default ones.
    channels TEXT NOT NULL,
    -- Query, sources and range that show it, value and threshold; JSON.
    evidence TEXT NOT NULL,
    -- What changed at its start, as the use case answers; NULL until it is known.
    what_changed TEXT,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX incidents_by_episode ON incidents (rule_id, coalesce(rule_group, ''), episode) WHERE rule_id IS NOT NULL;

CREATE INDEX incidents_by_client ON incidents (client_id, started_at);

CREATE INDEX incidents_by_start ON incidents (started_at);

CREATE INDEX incidents_open ON incidents (rule_id) WHERE resolved_at IS NULL;

CREATE INDEX incidents_open_by_key ON incidents (client_id, key) WHERE resolved_at IS NULL AND key IS NOT NULL;

CREATE INDEX incidents_untold ON incidents (id) WHERE is_told = 0;

CREATE INDEX incidents_unexplained ON incidents (id) WHERE what_changed IS NULL;

CREATE INDEX incidents_merged ON incidents (merged_into) WHERE merged_into IS NOT NULL;

-- What happened to an incident, and what was said of it: comments are entries too.
CREATE TABLE incident_timeline (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incident_id INTEGER NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    author TEXT NOT NULL,
    -- The token of the author; NULL if it was a rule, or somebody behind a link.
    token_id INTEGER REFERENCES api_tokens (id),
    text TEXT NOT NULL,
    edited_at INTEGER
) STRICT;

CREATE INDEX incident_timeline_by_incident ON incident_timeline (incident_id, id);

-- Events that are kept with the incident when retention has taken them.
CREATE TABLE incident_events (
    incident_id INTEGER NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    event_id TEXT NOT NULL,
    dt INTEGER NOT NULL,
    source_id INTEGER NOT NULL,
    source_name TEXT NOT NULL,
    -- The event as it was sent.
    event TEXT NOT NULL,
    PRIMARY KEY (incident_id, event_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX incident_events_by_source ON incident_events (source_id, dt);

CREATE TABLE silences (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- NULL for one of the provider, for all its clients.
    client_id INTEGER REFERENCES clients (id) ON DELETE CASCADE,
    silence TEXT NOT NULL,
    comment TEXT NOT NULL,
    author TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- When it ends by itself, NULL for one that comes back for ever; and when somebody ended it before.
    ends_at INTEGER,
    ended_at INTEGER
) STRICT;

-- Notices on their way, each to one channel. A row is written with what it tells of, and is here until it was delivered, given up or put
-- into a digest; then it is the delivery log.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel_id INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    incident_id INTEGER REFERENCES incidents (id) ON DELETE CASCADE,
    rule_id INTEGER REFERENCES rules (id) ON DELETE SET NULL,
    kind TEXT NOT NULL,
    -- The same for every attempt, and for a notice that is written again after a crash.
    idempotency_key TEXT NOT NULL UNIQUE,
    notice TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed', 'digested')),
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    -- The notice that told of it together with others.
    digest_id INTEGER REFERENCES outbox (id) ON DELETE SET NULL,
    settled_at INTEGER
) STRICT;

-- Those that wait for a channel, in their order: the first of each is looked for every second.
CREATE INDEX outbox_waiting ON outbox (channel_id, id) WHERE state = 'waiting';

-- What goes with an incident, and what a digest told of, is found when that goes.
CREATE INDEX outbox_by_incident ON outbox (incident_id) WHERE incident_id IS NOT NULL;

CREATE INDEX outbox_by_digest ON outbox (digest_id) WHERE digest_id IS NOT NULL;

CREATE INDEX outbox_settled ON outbox (settled_at) WHERE settled_at IS NOT NULL;

CREATE INDEX outbox_by_channel ON outbox (channel_id, id);

CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    outbox_id INTEGER NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    took_ms INTEGER NOT NULL,
    -- The status of HTTP or SMTP; NULL if nobody answered.
    status INTEGER,
    -- The beginning of what was answered, or why nobody did.
    response TEXT NOT NULL,
    is_delivered INTEGER NOT NULL CHECK (is_delivered IN (0, 1))
) STRICT;

CREATE INDEX deliveries_by_outbox ON deliveries (outbox_id, id);

-- How each channel has been doing: written with each attempt.
CREATE TABLE channel_health (
    channel_id INTEGER PRIMARY KEY REFERENCES channels (id) ON DELETE CASCADE,
    delivered_at INTEGER,
    failed_at INTEGER,
    failure TEXT
) STRICT;

-- Keys of this server, for what it signs for itself.
CREATE TABLE server_keys (
    name TEXT PRIMARY KEY,
    key BLOB NOT NULL
) STRICT, WITHOUT ROWID;
