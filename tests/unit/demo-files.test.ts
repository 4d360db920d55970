/** The bundled demo copied into a workspace, and what an autoencoder's folder says about itself. */
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeSaelens } from '../../src/main/files/saelens'
import { inspectSae } from '../../src/main/tasks/inspect-sae'
import { copyDemo } from '../../src/main/workspace/demo-files'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monoscope-demo-files-'))
})
afterAll(() => rm(root, { recursive: true }))

/** A folder in the shape of the bundled demo, with text of 900 documents. */
async function makeBundled(name: string): Promise<string> {
  const folder = join(root, name)
  await mkdir(join(folder, 'model'), { recursive: true })
  await writeFile(join(folder, 'model', 'config.json'), '{}')
  for (const sae of ['2-standard', '1-batchtopk']) {
    await mkdir(join(folder, 'saes', sae), { recursive: true })
    await writeFile(join(folder, 'saes', sae, 'cfg.json'), sae)
  }
  const lines = Array.from({ length: 900 }, (_, i) => JSON.stringify({ text: `document ${i}` }))
  await writeFile(join(folder, 'sample.jsonl.gz'), gzipSync(`${lines.join('\n')}\n`))
  return folder
}

describe('copying the demo', () => {
  it('puts model, autoencoders and unpacked text into one folder, and a beginning of the text beside it', async () => {
    const files = await copyDemo(await makeBundled('a'), join(root, 'target-a'))
    expect(await readFile(join(files.model, 'config.json'), 'utf8')).toBe('{}')
    expect(files.saes.map((path) => path.slice(-11))).toEqual(['1-batchtopk', '/2-standard'])
    const lines = async (path: string) => (await readFile(path, 'utf8')).trimEnd().split('\n')
    expect(await lines(files.sample)).toHaveLength(900)
    expect(await lines(files.short)).toEqual((await lines(files.sample)).slice(0, 700))
    expect(await readdir(join(root, 'target-a'))).toHaveLength(1)
  })

  it('copies once, and another demo beside the first', async () => {
    const [bundled, target] = [await makeBundled('b'), join(root, 'target-b')]
    const first = await copyDemo(bundled, target)
    const { mtimeMs } = await stat(first.sample)
    expect(await copyDemo(bundled, target)).toEqual(first)
    expect((await stat(first.sample)).mtimeMs).toBe(mtimeMs)
    await writeFile(join(bundled, 'model', 'config.json'), '{"newer":1}')
    const second = await copyDemo(bundled, target)
    expect(second.model).not.toBe(first.model)
    expect(await readdir(target)).toHaveLength(2)
  })

  it('says which folder has no demo', async () => {
    const missing = join(root, 'nowhere')
    const refused = { code: 'demo-missing', details: { path: missing } }
    await expect(copyDemo(missing, join(root, 'target-c'))).rejects.toMatchObject(refused)
    const bundled = await makeBundled('c')
    await rm(join(bundled, 'sample.jsonl.gz'))
    await expect(copyDemo(bundled, join(root, 'target-c'))).rejects.toMatchObject({ code: 'demo-missing' })
  })

  it('leaves nothing behind when the text is damaged', async () => {
    const bundled = await makeBundled('d')
    await writeFile(join(bundled, 'sample.jsonl.gz'), 'no gzip')
    await expect(copyDemo(bundled, join(root, 'target-d'))).rejects.toThrow()
    expect(await readdir(join(root, 'target-d'))).toEqual([])
  })

  it('tells a workspace that cannot be written to', async () => {
    const bundled = await makeBundled('e')
    const target = join(root, 'target-e')
    await copyFile(join(bundled, 'sample.jsonl.gz'), target)
    await expect(copyDemo(bundled, target)).rejects.toMatchObject({ code: 'workspace-unwritable' })
  })
})

describe('inspecting an autoencoder', () => {
  const values = (count: number) => Float32Array.from({ length: count }, (_, i) => 1 + i / 8)
  async function makeSae(name: string, hookName: string, monoscope: Record<string, string | number>): Promise<string> {
    const path = join(root, name)
    const weights = {
      ...{ wEnc: { shape: [2, 3], data: values(6) }, bEnc: { shape: [3], data: values(3) } },
      ...{ wDec: { shape: [3, 2], data: values(6) }, bDec: { shape: [2], data: values(2) } },
    }
    const sae = { architecture: 'standard' as const, dIn: 2, dSae: 3, weights, shiftsInput: false, k: null }
    const origin = { ...{ modelName: 'm', hookName, contextSize: 64, prependBos: true, datasetPath: 'd' }, monoscope }
    await writeSaelens(path, sae, { origin, firingShare: new Float64Array(3) })
    return path
  }
  const fitting = { dModel: 2, layers: 2, absentHooks: [] as string[] }
  const summary = {
    ...{ explainedVariance: 0.8, l0: 20, mse: 1, deadFraction: 0, deadWindowTokens: 10, heldOutTokens: 10 },
    ...{ trainedTokens: 100, scale: 1, droppedTokens: 0 },
  }

  it('reads hook, context and how it was trained; figures are unknown where nobody wrote them down', async () => {
    const path = await makeSae('plain', 'blocks.1.hook_resid_post', { training_architecture: 'batchtopk', seed: 7 })
    const info = await inspectSae({ path, model: fitting })
    expect(info).toMatchObject({
      ...{ architecture: 'batchtopk', dIn: 2, dSae: 3, hookName: 'blocks.1.hook_resid_post', contextSize: 64, seed: 7 },
      ...{ name: null, summary: null, quality: null },
    })
    expect(info.sha256).toMatch(/^[0-9a-f]{64}$/)
  })

  it('refuses another width, a folder that names no hook, and figures that are none', async () => {
    const path = await makeSae('narrow', 'blocks.1.hook_resid_post', {})
    const wider = inspectSae({ path, model: { ...fitting, dModel: 4 } })
    await expect(wider).rejects.toMatchObject({
      ...{ code: 'sae-invalid', details: { reason: 'it reads 2 values, the model gives 4' } },
    })
    for (const text of ['{', '{"name":"x"}', JSON.stringify({ name: 'x', summary })]) {
      await writeFile(join(path, 'monoscope.json'), text)
      await expect(inspectSae({ path, model: fitting })).rejects.toMatchObject({
        ...{ code: 'sae-invalid', details: { reason: 'monoscope.json cannot be used' } },
      })
    }
    const other = await makeSae('hookless', 'x', {})
    const cfg = join(other, 'cfg.json')
    await writeFile(cfg, (await readFile(cfg, 'utf8')).replace('hook_name', 'hook_nome'))
    await expect(inspectSae({ path: other, model: fitting })).rejects.toMatchObject({
      ...{ code: 'sae-invalid', details: { reason: 'its metadata names no hook' } },
    })
  })
  it('refuses a hook that the model does not have, and says it with the last one that it has', async () => {
    const path = await makeSae('deep', 'blocks.2.hook_resid_mid', {})
    await expect(inspectSae({ path, model: fitting })).rejects.toMatchObject({
      ...{ code: 'hook-unknown', details: { hookName: 'blocks.2.hook_resid_mid', lastLayer: 1 } },
    })
    const absentHooks = ['hook_resid_mid']
    await expect(inspectSae({ path, model: { ...fitting, layers: 3, absentHooks } })).rejects.toMatchObject({
      ...{ code: 'hook-absent', details: { hookName: 'blocks.2.hook_resid_mid' } },
    })
  })
})
