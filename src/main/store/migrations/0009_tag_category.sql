-- Format 9: tags may belong to a category, "language" for instance; '' for none.

ALTER TABLE tag ADD COLUMN category TEXT NOT NULL DEFAULT '' COLLATE NOCASE;
