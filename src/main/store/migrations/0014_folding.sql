-- Format 14: what people wrote is stored with composed letters, and names are the same whatever their case and composition, in any script.
-- composed() and folded() are those of shared/folding.ts.

-- Tags of one name become one: the oldest stays, with the features of all.
INSERT OR IGNORE INTO feature_tag (sae_id, feature_index, tag_id)
  SELECT sae_id, feature_index, (SELECT min(id) FROM tag AS kept WHERE folded(kept.name) = folded(tag.name))
  FROM feature_tag JOIN tag ON tag.id = feature_tag.tag_id;
DELETE FROM tag WHERE id > (SELECT min(id) FROM tag AS kept WHERE folded(kept.name) = folded(tag.name));
UPDATE tag SET name = composed(name), category = composed(category)
  WHERE name <> composed(name) OR category <> composed(category);

-- Lists likewise.
INSERT OR IGNORE INTO list_feature (list_id, sae_id, feature_index, added_at)
  SELECT (SELECT min(id) FROM list AS kept WHERE folded(kept.name) = folded(list.name)), sae_id, feature_index, added_at
  FROM list_feature JOIN list ON list.id = list_feature.list_id;
DELETE FROM list WHERE id > (SELECT min(id) FROM list AS kept WHERE folded(kept.name) = folded(list.name));
UPDATE list SET name = composed(name) WHERE name <> composed(name);

-- Views of one name ask different things: all stay, the newer ones with their number behind the name.
UPDATE saved_view SET name = composed(name) || ' (' || id || ')'
  WHERE id > (SELECT min(id) FROM saved_view AS kept WHERE folded(kept.name) = folded(saved_view.name));
UPDATE saved_view SET name = composed(name) WHERE name <> composed(name);

UPDATE label SET text = composed(text), author = composed(author) WHERE text <> composed(text) OR author <> composed(author);
UPDATE note SET text = composed(text), author = composed(author) WHERE text <> composed(text) OR author <> composed(author);
UPDATE safety_flag SET reason = composed(reason) WHERE reason <> composed(reason);
UPDATE feature SET label = composed(label) WHERE label <> composed(label);

-- Labels are found by folded text.
DROP TRIGGER label_marked;
DROP TRIGGER label_chosen_again;
CREATE TRIGGER label_marked AFTER INSERT ON label WHEN new.chosen = 1 BEGIN
  INSERT INTO label_text (rowid, text) VALUES ((new.sae_id << 32) + new.feature_index, folded(new.text));
  UPDATE feature SET marks = (marks & 6) | 1 | ((ifnull(new.score, -1) + 1) << 3), label = new.text
    WHERE feature_index = new.feature_index AND atlas_id IN (SELECT id FROM atlas WHERE sae_id = new.sae_id);
END;
CREATE TRIGGER label_chosen_again AFTER UPDATE OF chosen ON label WHEN old.chosen = 0 AND new.chosen = 1 BEGIN
  INSERT INTO label_text (rowid, text) VALUES ((new.sae_id << 32) + new.feature_index, folded(new.text));
  UPDATE feature SET marks = (marks & 6) | 1 | ((ifnull(new.score, -1) + 1) << 3), label = new.text
    WHERE feature_index = new.feature_index AND atlas_id IN (SELECT id FROM atlas WHERE sae_id = new.sae_id);
END;
DELETE FROM label_text;
INSERT INTO label_text (rowid, text) SELECT (sae_id << 32) + feature_index, folded(text) FROM label WHERE chosen = 1;
