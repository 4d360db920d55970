-- Format 2: what the library tells of models and datasets: memory, missing hooks, warnings, files, duplicates, where they came from.
-- Models and datasets of format 1 get the values they would have had then.

ALTER TABLE model ADD COLUMN memory_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE model SET memory_bytes = 4 * parameters;
-- JSON: a list of hook names, and { count, first } of tensor names.
ALTER TABLE model ADD COLUMN absent_hooks TEXT NOT NULL DEFAULT '[]';
ALTER TABLE model ADD COLUMN unused_tensors TEXT NOT NULL DEFAULT '{"count":0,"first":[]}';
ALTER TABLE model ADD COLUMN nan_tensors TEXT NOT NULL DEFAULT '{"count":0,"first":[]}';
ALTER TABLE model ADD COLUMN has_chat_template INTEGER NOT NULL DEFAULT 0 CHECK (has_chat_template IN (0, 1));
ALTER TABLE model ADD COLUMN source TEXT;
UPDATE model SET absent_hooks = '["hook_resid_mid"]' WHERE family = 'gpt_neox';

-- The list of formats grows; a CHECK cannot be changed, so the column is replaced.
ALTER TABLE dataset ADD COLUMN layout TEXT NOT NULL DEFAULT 'text'
  CHECK (layout IN ('text', 'jsonl', 'csv', 'parquet', 'mixed'));
UPDATE dataset SET layout = format;
ALTER TABLE dataset DROP COLUMN format;
ALTER TABLE dataset RENAME COLUMN layout TO format;
ALTER TABLE dataset ADD COLUMN files INTEGER NOT NULL DEFAULT 1;
ALTER TABLE dataset ADD COLUMN deduplicate INTEGER NOT NULL DEFAULT 0 CHECK (deduplicate IN (0, 1));
ALTER TABLE dataset ADD COLUMN duplicates INTEGER NOT NULL DEFAULT 0;
ALTER TABLE dataset ADD COLUMN source TEXT;
DROP INDEX dataset_source;
CREATE UNIQUE INDEX dataset_source ON dataset (path, sha256, ifnull(text_field, ''), deduplicate);

CREATE TABLE token_count (
  dataset_id INTEGER NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
  model_id INTEGER NOT NULL REFERENCES model (id) ON DELETE CASCADE,
  tokens INTEGER NOT NULL,
  is_exact INTEGER NOT NULL CHECK (is_exact IN (0, 1)),
  PRIMARY KEY (dataset_id, model_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX token_count_model ON token_count (model_id);
