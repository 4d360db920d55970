-- What stands before every text that a model reads (shared/text-start.ts), and which tokens can; those are unknown of models added before.
ALTER TABLE model ADD COLUMN text_start TEXT NOT NULL DEFAULT 'own' CHECK (text_start IN ('own', 'bos', 'none'));
ALTER TABLE model ADD COLUMN start_tokens TEXT;
