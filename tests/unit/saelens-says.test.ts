/** What an SAELens folder says of itself holds: hook names in both vocabularies, tokens left out, and only settings that did something. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { hfHookName } from '../../src/main/files/hf-hook-name'
import { writeSaelens } from '../../src/main/files/saelens'
import { temporaryFolder } from '../fixtures/samples'

const Cfg = z.object({ metadata: z.looseObject({ monoscope: z.record(z.string(), z.unknown()) }) })
const cfgOf = (folder: string) => Cfg.parse(JSON.parse(readFileSync(join(folder, 'cfg.json'), 'utf8'))).metadata

describe('hook names of Hugging Face models', () => {
  it.each([
    ['llama', 'blocks.2.hook_resid_post', 'model.layers.2'],
    ['gemma3', 'blocks.2.hook_resid_pre', 'model.layers.1'],
    ['gpt2', 'blocks.0.hook_resid_post', 'transformer.h.0'],
    ['gpt_neox', 'blocks.5.hook_resid_post', 'gpt_neox.layers.5'],
    ['llama', 'blocks.0.hook_resid_pre', null],
    ['llama', 'blocks.3.attn.hook_z', null],
    ['llama', 'blocks.3.hook_mlp_out', null],
  ])('%s, %s', (family, hookName, expected) => {
    expect(hfHookName(family, hookName)).toBe(expected)
  })
})

describe('cfg.json', () => {
  const matrix = (rows: number, columns: number) => ({
    shape: [rows, columns],
    data: new Float32Array(rows * columns).fill(0.5),
  })
  const row = (length: number) => ({ shape: [length], data: new Float32Array(length) })
  const sae = {
    ...{ architecture: 'standard' as const, dIn: 2, dSae: 3, shiftsInput: false, k: null },
    weights: { wEnc: matrix(2, 3), bEnc: row(3), wDec: matrix(3, 2), bDec: row(2) },
  }
  const origin = {
    modelName: 'm',
    hookName: 'blocks.1.hook_resid_post',
    contextSize: 8,
    prependBos: true,
    datasetPath: 'd',
  }

  it('names the tokens that training left out, and the hook in both vocabularies', async () => {
    const folder = join(temporaryFolder(), 'sae')
    const told = { ...origin, excludedIds: [0, 2], family: 'gpt_neo', monoscope: {} }
    await writeSaelens(folder, sae, { origin: told, firingShare: new Float64Array(3) })
    expect(cfgOf(folder)).toMatchObject({
      ...{ model_class_name: 'HookedTransformer', hook_name: 'blocks.1.hook_resid_post' },
      ...{ hf_hook_name: 'transformer.h.1', exclude_special_tokens: [0, 2] },
    })
  })

  it.each([
    ['1-batchtopk', ['k', 'threshold', 'aux_coefficient'], ['l1_coefficient', 'l0_coefficient', 'bandwidth']],
    ['2-standard', ['l1_coefficient'], ['k', 'threshold', 'aux_coefficient', 'l0_coefficient', 'bandwidth']],
  ])('of the bundled %s lists what was used and nothing else', (name, used, unused) => {
    const { monoscope, ...metadata } = cfgOf(resolve('resources/demo/saes', name))
    expect(metadata).toMatchObject({ exclude_special_tokens: [0], prepend_bos: true, hf_hook_name: 'model.layers.2' })
    for (const key of used) expect(monoscope).toHaveProperty(key)
    for (const key of unused) expect(monoscope).not.toHaveProperty(key)
    expect(monoscope.units).toContain('raw')
  })
})
