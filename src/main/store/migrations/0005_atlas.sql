-- Format 5: atlases with intervals, random contexts and features that are active together; token ids live in a file per corpus.
-- An atlas is made from an autoencoder and a text and can be made again: those of older formats are dropped. What people wrote
-- belongs to the autoencoder and stays.

DELETE FROM atlas;
DROP TABLE context;
DROP TABLE feature_blob;
DROP TABLE feature;

ALTER TABLE atlas DROP COLUMN dropped_tokens;
ALTER TABLE atlas ADD COLUMN bos_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE atlas ADD COLUMN sink_tokens INTEGER NOT NULL DEFAULT 0;

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
  -- 1: has a chosen label, 2: has a tag, 4: is in a safety category; kept by the triggers below.
  marks INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (atlas_id, feature_index)
) STRICT, WITHOUT ROWID;
-- Each order that a list can have, with all figures that it can be filtered by, so that no other page is read before a row is shown.
CREATE INDEX feature_order ON feature (atlas_id, feature_index, density, max_activation, mean_activation, marks);
CREATE INDEX feature_density ON feature (atlas_id, density, feature_index, max_activation, mean_activation, marks);
CREATE INDEX feature_max ON feature (atlas_id, max_activation, feature_index, density, mean_activation, marks);
CREATE INDEX feature_mean ON feature (atlas_id, mean_activation, feature_index, density, max_activation, marks);
CREATE INDEX feature_label ON feature (atlas_id, label, feature_index, density, max_activation, mean_activation, marks)
  WHERE label IS NOT NULL;

-- Boxes of figures: several ranges at once, of which each holds many features and all together few. The row is atlas * 2^32 + feature.
CREATE VIRTUAL TABLE feature_box USING rtree (id, atlas, atlas_, density, density_, max, max_, mean, mean_);

-- What a row of a list shows beside its figures.
CREATE TABLE feature_blob (
  atlas_id INTEGER NOT NULL REFERENCES atlas (id) ON DELETE CASCADE,
  feature_index INTEGER NOT NULL,
  histogram BLOB NOT NULL,
  peak_ids BLOB NOT NULL,
  peak_values BLOB NOT NULL,
  PRIMARY KEY (atlas_id, feature_index)
) STRICT, WITHOUT ROWID;

-- What the page of one feature shows. Contexts are packed, see context-blob.ts.
CREATE TABLE feature_page (
  id INTEGER PRIMARY KEY,
  atlas_id INTEGER NOT NULL REFERENCES atlas (id) ON DELETE CASCADE,
  feature_index INTEGER NOT NULL,
  histogram BLOB NOT NULL,
  interval_width REAL NOT NULL,
  interval_fired BLOB NOT NULL,
  contexts BLOB NOT NULL,
  -- int32 indexes of features that are active on its tokens, float32 on which share of the sampled ones.
  together BLOB NOT NULL,
  together_shares BLOB NOT NULL,
  together_sampled INTEGER NOT NULL,
  UNIQUE (atlas_id, feature_index)
) STRICT;

-- Any part of the chosen label of a feature; the row is autoencoder * 2^32 + feature.
CREATE VIRTUAL TABLE label_text USING fts5 (text, content = '', contentless_delete = 1, tokenize = 'trigram');
INSERT INTO label_text (rowid, text) SELECT (sae_id << 32) + feature_index, text FROM label WHERE chosen = 1;

CREATE TRIGGER label_marked AFTER INSERT ON label WHEN new.chosen = 1 BEGIN
  INSERT INTO label_text (rowid, text) VALUES ((new.sae_id << 32) + new.feature_index, new.text);
  UPDATE feature SET marks = marks | 1, label = new.text
    WHERE feature_index = new.feature_index AND atlas_id IN (SELECT id FROM atlas WHERE sae_id = new.sae_id);
END;
CREATE TRIGGER label_chosen_again AFTER UPDATE OF chosen ON label WHEN old.chosen = 0 AND new.chosen = 1 BEGIN
  INSERT INTO label_text (rowid, text) VALUES ((new.sae_id << 32) + new.feature_index, new.text);
  UPDATE feature SET marks = marks | 1, label = new.text
    WHERE feature_index = new.feature_index AND atlas_id IN (SELECT id FROM atlas WHERE sae_id = new.sae_id);
END;
CREATE TRIGGER label_forgotten AFTER DELETE ON label WHEN old.chosen = 1 BEGIN
  DELETE FROM label_text WHERE rowid = (old.sae_id << 32) + old.feature_index;
END;
CREATE TRIGGER label_dropped AFTER UPDATE OF chosen ON label WHEN old.chosen = 1 AND new.chosen = 0 BEGIN
  DELETE FROM label_text WHERE rowid = (old.sae_id << 32) + old.feature_index;
  UPDATE feature SET marks = marks & ~1, label = NULL
    WHERE feature_index = new.feature_index AND atlas_id IN (SELECT id FROM atlas WHERE sae_id = new.sae_id);
END;
CREATE TRIGGER tag_put AFTER INSERT ON feature_tag BEGIN
  UPDATE feature SET marks = marks | 2
    WHERE feature_index = new.feature_index AND atlas_id IN (SELECT id FROM atlas WHERE sae_id = new.sae_id);
END;
CREATE TRIGGER tag_taken AFTER DELETE ON feature_tag
WHEN NOT EXISTS (SELECT 1 FROM feature_tag WHERE sae_id = old.sae_id AND feature_index = old.feature_index) BEGIN
  UPDATE feature SET marks = marks & ~2
    WHERE feature_index = old.feature_index AND atlas_id IN (SELECT id FROM atlas WHERE sae_id = old.sae_id);
END;
CREATE TRIGGER flag_put AFTER INSERT ON safety_flag BEGIN
  UPDATE feature SET marks = marks | 4
    WHERE feature_index = new.feature_index AND atlas_id IN (SELECT id FROM atlas WHERE sae_id = new.sae_id);
END;
CREATE TRIGGER flag_taken AFTER DELETE ON safety_flag
WHEN NOT EXISTS (SELECT 1 FROM safety_flag WHERE sae_id = old.sae_id AND feature_index = old.feature_index) BEGIN
  UPDATE feature SET marks = marks & ~4
    WHERE feature_index = old.feature_index AND atlas_id IN (SELECT id FROM atlas WHERE sae_id = old.sae_id);
END;

-- Words of the contexts of each feature, cut as search-text.ts says; the row is atlas * 2^32 + feature. Holds no text, only the index.
CREATE VIRTUAL TABLE context_text USING fts5 (
  text, content = '', contentless_delete = 1, detail = none, prefix = '1 2 3 4 5', tokenize = "unicode61 categories 'L* N* Co M*'"
);
CREATE TRIGGER atlas_gone AFTER DELETE ON atlas BEGIN
  DELETE FROM context_text WHERE rowid BETWEEN old.id << 32 AND (old.id << 32) + 4294967295;
  DELETE FROM feature_box WHERE atlas = old.id;
END;

CREATE TABLE note (
  id INTEGER PRIMARY KEY,
  sae_id INTEGER NOT NULL REFERENCES sae (id) ON DELETE CASCADE,
  feature_index INTEGER NOT NULL,
  text TEXT NOT NULL,
  author TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;
CREATE INDEX note_feature ON note (sae_id, feature_index);

CREATE TABLE list (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL COLLATE NOCASE UNIQUE,
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE list_feature (
  list_id INTEGER NOT NULL REFERENCES list (id) ON DELETE CASCADE,
  sae_id INTEGER NOT NULL REFERENCES sae (id) ON DELETE CASCADE,
  feature_index INTEGER NOT NULL,
  added_at TEXT NOT NULL,
  PRIMARY KEY (list_id, sae_id, feature_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX list_feature_of ON list_feature (sae_id, feature_index);

-- The feature list as a query, see list-query.ts.
CREATE TABLE saved_view (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL COLLATE NOCASE UNIQUE,
  query TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;
