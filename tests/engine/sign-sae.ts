/** An autoencoder with two features for every dimension, one for each sign, in a folder. */
import { join } from 'node:path'
import { writeSaelens } from '../../src/main/files/saelens'
import type { EvaluateSpec } from '../../src/main/jobs/messages'

export const SIGN_CONTEXT = 64
/** As a training stores it: no token of these stories is a sink. */
const OWN = { sink_norm: 1e9 }

type SignSae = { hookName: string; gain: number; dIn: number; monoscope?: Record<string, number | string> }

/** With `gain` 1 nothing is lost, with 0 everything. @returns the path */
export async function writeSignSae(path: string, { hookName, gain, dIn, monoscope = OWN }: SignSae): Promise<string> {
  const dSae = 2 * dIn
  const [wEnc, wDec] = [new Float32Array(dIn * dSae), new Float32Array(dIn * dSae)]
  for (let j = 0; j < dIn; j++) {
    wEnc.set([gain], j * dSae + j)
    wEnc.set([-gain], j * dSae + dIn + j)
    wDec.set([1], j * dIn + j)
    wDec.set([-1], (dIn + j) * dIn + j)
  }
  const weights = {
    wEnc: { shape: [dIn, dSae], data: wEnc },
    bEnc: { shape: [dSae], data: new Float32Array(dSae) },
    wDec: { shape: [dSae, dIn], data: wDec },
    bDec: { shape: [dIn], data: new Float32Array(dIn) },
  }
  const origin = {
    ...{ modelName: 'stories', hookName, contextSize: SIGN_CONTEXT, prependBos: true, datasetPath: 'corpus' },
    monoscope,
  }
  const sae = { architecture: 'standard' as const, dIn, dSae, weights, shiftsInput: false, k: null }
  await writeSaelens(path, sae, { origin, firingShare: new Float64Array(dSae) })
  return path
}

/** Its evaluation on the `corpus.jsonl` of a folder. */
export const signSpec = (
  path: string,
  { stories, root, hookName }: Record<'stories' | 'root' | 'hookName', string>,
): EvaluateSpec => ({
  ...{ kind: 'evaluate', model: { name: 'stories', path: stories, sha256: 'a' }, seed: 3 },
  dataset: {
    ...{ name: 'corpus', path: join(root, 'corpus.jsonl'), textField: 'text', deduplicate: false },
    sha256: 'd'.repeat(64),
  },
  sae: { path, hookName, contextSize: SIGN_CONTEXT },
})
