/** Labels that come with the demo: written by people who looked at the contexts, each in both languages. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../../shared/errors'

const FILE = 'labels.json'

/** `sae`: sha256 of the weights that they are about; numbers of features mean nothing for others. */
const DemoLabels = z.object({
  author: z.string(),
  sae: z.string(),
  labels: z.array(z.object({ feature: z.int().min(0), en: z.string().min(1), ko: z.string().min(1) })),
})
export type DemoLabels = z.infer<typeof DemoLabels>

/** @throws AppError demo-missing */
export async function readDemoLabels(demoFolder: string): Promise<DemoLabels> {
  try {
    return DemoLabels.parse(JSON.parse(await readFile(join(demoFolder, FILE), 'utf8')))
  } catch (error) {
    throw new AppError('demo-missing', { path: join(demoFolder, FILE) }, { cause: error })
  }
}
