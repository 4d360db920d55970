-- Format 6: how well a label fits, from 0 to 3. The score of the chosen label is in the marks of its feature, as (score + 1) << 3.

ALTER TABLE label ADD COLUMN score INTEGER CHECK (score BETWEEN 0 AND 3);

DROP TRIGGER label_marked;
DROP TRIGGER label_chosen_again;
DROP TRIGGER label_dropped;

CREATE TRIGGER label_marked AFTER INSERT ON label WHEN new.chosen = 1 BEGIN
  INSERT INTO label_text (rowid, text) VALUES ((new.sae_id << 32) + new.feature_index, new.text);
  UPDATE feature SET marks = (marks & 6) | 1 | ((ifnull(new.score, -1) + 1) << 3), label = new.text
    WHERE feature_index = new.feature_index AND atlas_id IN (SELECT id FROM atlas WHERE sae_id = new.sae_id);
END;
CREATE TRIGGER label_chosen_again AFTER UPDATE OF chosen ON label WHEN old.chosen = 0 AND new.chosen = 1 BEGIN
  INSERT INTO label_text (rowid, text) VALUES ((new.sae_id << 32) + new.feature_index, new.text);
  UPDATE feature SET marks = (marks & 6) | 1 | ((ifnull(new.score, -1) + 1) << 3), label = new.text
    WHERE feature_index = new.feature_index AND atlas_id IN (SELECT id FROM atlas WHERE sae_id = new.sae_id);
END;
CREATE TRIGGER label_dropped AFTER UPDATE OF chosen ON label WHEN old.chosen = 1 AND new.chosen = 0 BEGIN
  DELETE FROM label_text WHERE rowid = (old.sae_id << 32) + old.feature_index;
  UPDATE feature SET marks = marks & 6, label = NULL
    WHERE feature_index = new.feature_index AND atlas_id IN (SELECT id FROM atlas WHERE sae_id = new.sae_id);
END;
CREATE TRIGGER label_scored AFTER UPDATE OF score ON label WHEN new.chosen = 1 BEGIN
  UPDATE feature SET marks = (marks & 7) | ((ifnull(new.score, -1) + 1) << 3)
    WHERE feature_index = new.feature_index AND atlas_id IN (SELECT id FROM atlas WHERE sae_id = new.sae_id);
END;
