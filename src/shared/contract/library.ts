/** Models and datasets of a workspace. */
import { z } from 'zod'
import { Dataset, Id, Model, TokenCount } from '../domain'
import { TextStart } from '../text-start'
import { call } from '../wire'

const path = z.string().trim().min(1).max(4096)

export const library = {
  'models.list': call(z.object({}), z.array(Model)),
  /** Checks config, weights and tokenizer; adding the same folder again returns the model that is there. */
  'models.add': call(
    z.object({ path, name: z.string().trim().max(200).optional(), textStart: TextStart.optional() }),
    Model,
  ),
  /** What stands before every text from now on; autoencoders keep what stood there in their training. */
  'models.setTextStart': call(z.object({ modelId: Id, textStart: TextStart }), Model),
  'models.remove': call(z.object({ modelId: Id }), z.null()),
  'datasets.list': call(z.object({}), z.array(Dataset)),
  /** A file or a folder of text, JSONL, CSV or Parquet; adding the same one again returns the dataset that is there. */
  'datasets.add': call(
    z.object({
      path,
      name: z.string().trim().max(200).optional(),
      textField: z.string().min(1).max(200).default('text'),
      deduplicate: z.boolean().default(false),
    }),
    Dataset,
  ),
  'datasets.remove': call(z.object({ datasetId: Id }), z.null()),
  /** Some documents as they are read; `text` is cut after 4,000 characters. */
  'datasets.preview': call(
    z.object({ datasetId: Id, first: z.int().min(0).default(0), count: z.int().min(1).max(50).default(10) }),
    z.array(z.object({ index: z.int(), text: z.string(), characters: z.int() })),
  ),
  /** Counts with the tokenizer of a model and remembers the answer; a large dataset is estimated from its beginning. */
  'datasets.countTokens': call(z.object({ datasetId: Id, modelId: Id }), TokenCount),
}
