-- Format 10: what the files of models, autoencoders and texts were when they were last looked at, so that only changed ones are hashed again.

CREATE TABLE seen_file (
  kind TEXT NOT NULL CHECK (kind IN ('model', 'sae', 'dataset')),
  path TEXT NOT NULL,
  -- Names, sizes and times of the files, see files/stamp.ts.
  stamp TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (kind, path)
) WITHOUT ROWID, STRICT;
