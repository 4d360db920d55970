/** Models and datasets of a workspace. */
import { z } from 'zod'
import { Dataset, Id, Model } from '../domain'
import { call } from '../wire'

const path = z.string().trim().min(1).max(4096)

export const library = {
  'models.list': call(z.object({}), z.array(Model)),
  /** Checks config, weights and tokenizer; adding the same folder again returns the model that is there. */
  'models.add': call(z.object({ path, name: z.string().trim().max(200).optional() }), Model),
  'models.remove': call(z.object({ modelId: Id }), z.null()),
  'datasets.list': call(z.object({}), z.array(Dataset)),
  'datasets.add': call(
    z.object({
      path,
      name: z.string().trim().max(200).optional(),
      textField: z.string().min(1).max(200).default('text'),
    }),
    Dataset,
  ),
  'datasets.remove': call(z.object({ datasetId: Id }), z.null()),
}
