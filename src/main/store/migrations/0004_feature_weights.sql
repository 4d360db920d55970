-- Format 4: what the weights alone say of a feature. Read for one feature at a time, so nothing is indexed but the feature.

CREATE TABLE feature_weights (
  atlas_id INTEGER NOT NULL REFERENCES atlas (id) ON DELETE CASCADE,
  feature_index INTEGER NOT NULL,
  decoder_norm REAL NOT NULL,
  encoder_cosine REAL NOT NULL,
  -- int32 feature indexes with the largest cosine between decoder rows, and float32 those cosines.
  neighbours BLOB NOT NULL,
  neighbour_cosines BLOB NOT NULL,
  -- int32 token ids: the ten largest logit weights, then the ten smallest, and float32 those weights; all NULL where there are none.
  logit_ids BLOB,
  logit_values BLOB,
  logit_histogram BLOB,
  logit_min REAL,
  logit_max REAL,
  PRIMARY KEY (atlas_id, feature_index)
) WITHOUT ROWID, STRICT;
