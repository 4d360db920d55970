-- Format 1: models, datasets, runs, jobs, autoencoders and what people know about their features.
-- Times are UTC ISO text. Paths inside the workspace are relative to it, so that a copied folder still works.

CREATE TABLE model (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  family TEXT NOT NULL,
  layers INTEGER NOT NULL,
  d_model INTEGER NOT NULL,
  heads INTEGER NOT NULL,
  vocabulary INTEGER NOT NULL,
  context_size INTEGER NOT NULL,
  dtype TEXT NOT NULL,
  parameters INTEGER NOT NULL,
  weight_bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  added_at TEXT NOT NULL,
  UNIQUE (path, sha256)
) STRICT;

CREATE TABLE dataset (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  format TEXT NOT NULL CHECK (format IN ('text', 'jsonl')),
  text_field TEXT,
  documents INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  preview TEXT NOT NULL,
  added_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX dataset_source ON dataset (path, sha256, ifnull(text_field, ''));

CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  config TEXT NOT NULL,
  model_id INTEGER NOT NULL REFERENCES model (id),
  dataset_id INTEGER NOT NULL REFERENCES dataset (id),
  backend TEXT,
  steps INTEGER NOT NULL,
  created_at TEXT NOT NULL
) STRICT;
CREATE INDEX run_model ON run (model_id);
CREATE INDEX run_dataset ON run (dataset_id);

CREATE TABLE sae (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  run_id INTEGER UNIQUE REFERENCES run (id) ON DELETE CASCADE,
  model_id INTEGER NOT NULL REFERENCES model (id),
  hook_name TEXT NOT NULL,
  architecture TEXT NOT NULL,
  d_in INTEGER NOT NULL,
  d_sae INTEGER NOT NULL,
  context_size INTEGER NOT NULL,
  path TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  partial INTEGER NOT NULL CHECK (partial IN (0, 1)),
  summary TEXT,
  backend TEXT,
  seed INTEGER,
  created_at TEXT NOT NULL
) STRICT;
CREATE INDEX sae_model ON sae (model_id);

CREATE TABLE job (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('train', 'atlas')),
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'cancelling', 'done', 'failed', 'cancelled', 'interrupted')),
  run_id INTEGER REFERENCES run (id) ON DELETE CASCADE,
  sae_id INTEGER REFERENCES sae (id) ON DELETE CASCADE,
  dataset_id INTEGER REFERENCES dataset (id) ON DELETE SET NULL,
  title TEXT NOT NULL,
  -- Training: queue an atlas when it is done. Atlas: it was queued so, and goes before other waiting jobs.
  chained INTEGER NOT NULL CHECK (chained IN (0, 1)),
  done INTEGER NOT NULL DEFAULT 0,
  total INTEGER NOT NULL DEFAULT 0,
  tokens_per_second REAL,
  failure TEXT,
  created_at TEXT NOT NULL,
  started_at TEXT,
  ended_at TEXT
) STRICT;
CREATE INDEX job_state ON job (state);
CREATE INDEX job_run ON job (run_id, kind);
CREATE INDEX job_sae ON job (sae_id);
CREATE INDEX job_dataset ON job (dataset_id);

CREATE TABLE metric (
  run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
  step INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  loss REAL NOT NULL,
  mse REAL NOT NULL,
  l1 REAL NOT NULL,
  l0 REAL NOT NULL,
  explained_variance REAL,
  held_out_l0 REAL,
  dead_fraction REAL NOT NULL,
  learning_rate REAL NOT NULL,
  PRIMARY KEY (run_id, step)
) STRICT, WITHOUT ROWID;

-- An atlas is filled in many small transactions and becomes visible in the last one (complete = 1).
CREATE TABLE atlas (
  id INTEGER PRIMARY KEY,
  sae_id INTEGER NOT NULL REFERENCES sae (id) ON DELETE CASCADE,
  dataset_id INTEGER NOT NULL REFERENCES dataset (id),
  tokens INTEGER NOT NULL,
  documents INTEGER NOT NULL,
  dropped_tokens INTEGER NOT NULL,
  live_features INTEGER NOT NULL,
  complete INTEGER NOT NULL CHECK (complete IN (0, 1)),
  built_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX atlas_of_sae ON atlas (sae_id) WHERE complete = 1;
CREATE INDEX atlas_sae ON atlas (sae_id);
CREATE INDEX atlas_dataset ON atlas (dataset_id);

-- What lists filter and sort by; no blobs here, so that a scan of all features stays in few pages.
CREATE TABLE feature (
  atlas_id INTEGER NOT NULL REFERENCES atlas (id) ON DELETE CASCADE,
  feature_index INTEGER NOT NULL,
  fired_tokens INTEGER NOT NULL,
  density REAL NOT NULL,
  max_activation REAL NOT NULL,
  mean_activation REAL NOT NULL,
  top_token TEXT,
  -- Copy of the chosen label's text, written with it.
  label TEXT,
  PRIMARY KEY (atlas_id, feature_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX feature_density ON feature (atlas_id, density);
CREATE INDEX feature_max ON feature (atlas_id, max_activation);
CREATE INDEX feature_label ON feature (atlas_id, label);

CREATE TABLE feature_blob (
  atlas_id INTEGER NOT NULL REFERENCES atlas (id) ON DELETE CASCADE,
  feature_index INTEGER NOT NULL,
  histogram BLOB NOT NULL,
  fine_histogram BLOB NOT NULL,
  peak_ids BLOB NOT NULL,
  peak_values BLOB NOT NULL,
  PRIMARY KEY (atlas_id, feature_index)
) STRICT, WITHOUT ROWID;

CREATE TABLE context (
  atlas_id INTEGER NOT NULL REFERENCES atlas (id) ON DELETE CASCADE,
  feature_index INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  document_index INTEGER NOT NULL,
  position INTEGER NOT NULL,
  max REAL NOT NULL,
  peak INTEGER NOT NULL,
  ids BLOB NOT NULL,
  "values" BLOB NOT NULL,
  PRIMARY KEY (atlas_id, feature_index, rank)
) STRICT;

-- What people said belongs to the autoencoder, not to its atlas: it survives a rebuilt one.
CREATE TABLE label (
  id INTEGER PRIMARY KEY,
  sae_id INTEGER NOT NULL REFERENCES sae (id) ON DELETE CASCADE,
  feature_index INTEGER NOT NULL,
  text TEXT NOT NULL,
  author TEXT NOT NULL,
  chosen INTEGER NOT NULL CHECK (chosen IN (0, 1)),
  created_at TEXT NOT NULL
) STRICT;
CREATE INDEX label_feature ON label (sae_id, feature_index);
CREATE UNIQUE INDEX label_chosen ON label (sae_id, feature_index) WHERE chosen = 1;

CREATE TABLE tag (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL COLLATE NOCASE UNIQUE,
  color INTEGER NOT NULL CHECK (color BETWEEN 1 AND 8)
) STRICT;

CREATE TABLE feature_tag (
  sae_id INTEGER NOT NULL REFERENCES sae (id) ON DELETE CASCADE,
  feature_index INTEGER NOT NULL,
  tag_id INTEGER NOT NULL REFERENCES tag (id) ON DELETE CASCADE,
  PRIMARY KEY (sae_id, feature_index, tag_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX feature_tag_tag ON feature_tag (tag_id, sae_id, feature_index);

CREATE TABLE safety_flag (
  id INTEGER PRIMARY KEY,
  sae_id INTEGER NOT NULL REFERENCES sae (id) ON DELETE CASCADE,
  feature_index INTEGER NOT NULL,
  category TEXT NOT NULL CHECK (category IN (
    'bias-misinformation', 'software-exploits', 'toxicity', 'power-seeking', 'dangers-of-ai', 'dangerous-criminal',
    'weapons-catastrophe', 'deception-manipulation', 'situational-awareness', 'self-identity', 'politics'
  )),
  reason TEXT NOT NULL,
  created_at TEXT NOT NULL,
  UNIQUE (sae_id, feature_index, category)
) STRICT;
CREATE INDEX safety_flag_category ON safety_flag (sae_id, category);

CREATE TABLE export (
  id INTEGER PRIMARY KEY,
  sae_id INTEGER NOT NULL REFERENCES sae (id) ON DELETE CASCADE,
  format TEXT NOT NULL CHECK (format IN ('jsonl', 'csv')),
  path TEXT NOT NULL,
  features INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  created_at TEXT NOT NULL
) STRICT;
CREATE INDEX export_sae ON export (sae_id);

CREATE TABLE setting (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
