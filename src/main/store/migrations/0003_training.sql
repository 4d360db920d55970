-- Format 3: more kinds of job, sets of activations on disk, the quality of an autoencoder, more figures per step.

-- A CHECK cannot be changed, so the column is replaced.
DROP INDEX job_run;
ALTER TABLE job ADD COLUMN work TEXT NOT NULL DEFAULT 'train' CHECK (work IN ('train', 'atlas', 'collect', 'evaluate'));
UPDATE job SET work = kind;
ALTER TABLE job DROP COLUMN kind;
ALTER TABLE job RENAME COLUMN work TO kind;
CREATE INDEX job_run ON job (run_id, kind);

CREATE TABLE activation_set (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  model_id INTEGER NOT NULL REFERENCES model (id),
  dataset_id INTEGER NOT NULL REFERENCES dataset (id),
  -- JSON: the hook points, all collected in one pass.
  hook_names TEXT NOT NULL,
  context_size INTEGER NOT NULL,
  -- What was asked for, and what is on disk.
  tokens INTEGER NOT NULL,
  stored_tokens INTEGER NOT NULL DEFAULT 0,
  d_in INTEGER NOT NULL,
  bytes INTEGER NOT NULL DEFAULT 0,
  seed INTEGER NOT NULL,
  created_at TEXT NOT NULL
) STRICT;
CREATE INDEX activation_set_model ON activation_set (model_id);
CREATE INDEX activation_set_dataset ON activation_set (dataset_id);

ALTER TABLE job ADD COLUMN activations_id INTEGER REFERENCES activation_set (id) ON DELETE CASCADE;
CREATE INDEX job_activations ON job (activations_id);

-- JSON, see SaeQuality.
ALTER TABLE sae ADD COLUMN quality TEXT;

ALTER TABLE metric ADD COLUMN aux REAL;
ALTER TABLE metric ADD COLUMN gradient_norm REAL NOT NULL DEFAULT 0;
ALTER TABLE metric ADD COLUMN route TEXT NOT NULL DEFAULT 'dense' CHECK (route IN ('dense', 'sparse'));

-- JSON, see Forecast and Actual.
ALTER TABLE run ADD COLUMN forecast TEXT;
ALTER TABLE run ADD COLUMN actual TEXT;
