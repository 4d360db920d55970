-- Format 7: maps of features, and jobs that make them.

-- Which kinds of job there are is said in shared/domain.ts alone: the list grows, and a CHECK cannot be changed.
DROP INDEX job_run;
ALTER TABLE job ADD COLUMN work TEXT NOT NULL DEFAULT 'train';
UPDATE job SET work = kind;
ALTER TABLE job DROP COLUMN kind;
ALTER TABLE job RENAME COLUMN work TO kind;
CREATE INDEX job_run ON job (run_id, kind);

-- One per autoencoder; a newer one replaces it.
CREATE TABLE feature_map (
  sae_id INTEGER PRIMARY KEY REFERENCES sae (id) ON DELETE CASCADE,
  -- JSON, see MapParameters.
  parameters TEXT NOT NULL,
  created_at TEXT NOT NULL,
  -- Of N features: int32 indexes, ascending; float32 x and y of each; int32 cluster of each.
  features BLOB NOT NULL,
  positions BLOB NOT NULL,
  clusters BLOB NOT NULL
) STRICT;
