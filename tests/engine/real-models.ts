/** Published models and what transformers says of them, where both are on this machine. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const REFERENCES = join(import.meta.dirname, '../../../shared/models/real')

const Reference = z.object({
  limits: z.object({ logitAbsolute: z.number(), ceAbsolute: z.number(), normRelative: z.number() }),
  cases: z.array(
    z.object({
      name: z.string(),
      text: z.string(),
      ids: z.array(z.int()),
      ce: z.number(),
      top: z.array(z.object({ id: z.int(), logit: z.number() })),
      /** Of resid_post by layer. */
      norms: z.record(z.string(), z.object({ last: z.number() })),
      greedy: z.array(z.int()),
      /** Smallest lead of a greedy token over the next. */
      gap: z.number(),
    }),
  ),
})
export type RealReference = z.infer<typeof Reference>

/** A model's folder and reference, or the sentence that says why its cases are skipped. */
export function realModel(name: string): { folder: string; reference: RealReference } | { missing: string } {
  const root = process.env.MONOSCOPE_REAL_MODELS
  if (!root) return { missing: 'MONOSCOPE_REAL_MODELS names no folder of published models' }
  const folder = join(root, name, 'hf')
  if (!existsSync(folder)) return { missing: `${folder} is not there` }
  const path = join(REFERENCES, `${name}.json`)
  if (!existsSync(path)) return { missing: `${path} is not there` }
  return { folder, reference: Reference.parse(JSON.parse(readFileSync(path, 'utf8'))) }
}
