-- Format 12: the files beside the weights that say how they are read, as they were when an atlas was made; unknown of older ones.

ALTER TABLE atlas ADD COLUMN model_settings TEXT;
ALTER TABLE atlas ADD COLUMN sae_settings TEXT;
