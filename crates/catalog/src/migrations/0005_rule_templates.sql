-- What a template holds beside its rule: names of sources, which each client has its own of, and ids of channels, one a line.
ALTER TABLE rule_templates ADD COLUMN sources TEXT NOT NULL DEFAULT '';
ALTER TABLE rule_templates ADD COLUMN channels TEXT NOT NULL DEFAULT '';
-- Clients with higher ids are given a rule too; NULL: only those who are named.
ALTER TABLE rule_templates ADD COLUMN new_clients_after INTEGER;
ALTER TABLE rule_templates ADD COLUMN created_by INTEGER REFERENCES api_tokens (id);

-- Who was given a rule of a template: one that a client deletes is not given again by itself.
CREATE TABLE rule_template_clients (
    template_id INTEGER NOT NULL REFERENCES rule_templates (id) ON DELETE CASCADE,
    client_id INTEGER NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    PRIMARY KEY (template_id, client_id)
) STRICT, WITHOUT ROWID;

-- The saved query it was made for, and what its maker said of it that means nothing here and is given back: a JSON object.
ALTER TABLE rules ADD COLUMN saved_query_id INTEGER REFERENCES saved_queries (id) ON DELETE SET NULL;
ALTER TABLE rules ADD COLUMN kept TEXT;
-- When it last went on after a pause: what came before is no news.
ALTER TABLE rules ADD COLUMN resumed_at INTEGER;
