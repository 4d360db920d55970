-- Format 8: features against neurons, and jobs with settings of their own.

-- JSON, what a job was asked for beside its autoencoder and text, see NeuronSettings.
ALTER TABLE job ADD COLUMN settings TEXT;

-- One per autoencoder; a newer one replaces it.
CREATE TABLE neuron_match (
  sae_id INTEGER PRIMARY KEY REFERENCES sae (id) ON DELETE CASCADE,
  -- JSON, see NeuronSummary.
  summary TEXT NOT NULL
) STRICT;

CREATE TABLE feature_neuron (
  sae_id INTEGER NOT NULL REFERENCES neuron_match (sae_id) ON DELETE CASCADE,
  feature_index INTEGER NOT NULL,
  -- NULL where the feature goes with no neuron at all.
  layer INTEGER,
  neuron INTEGER,
  r REAL NOT NULL,
  fired_tokens INTEGER NOT NULL,
  PRIMARY KEY (sae_id, feature_index)
) WITHOUT ROWID, STRICT;
