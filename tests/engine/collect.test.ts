/** Collecting activations: what is on disk is what the model computes, in one go or in many, and bad values end it. */
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readIndex, readShard, rowBytes, shardPath } from '../../src/main/files/activation-shards'
import type { ActivationIndex } from '../../src/main/files/activation-shards'
import { narrowHalf } from '../../src/main/files/element-types'
import { modelSource, walkWindows } from '../../src/main/engine/train/activations'
import { firstTokens, textTokens, windowCount } from '../../src/main/engine/train/contexts'
import type { Corpus } from '../../src/main/engine/train/contexts'
import { measureScale } from '../../src/main/engine/train/stream'
import { toFailure } from '../../src/shared/errors'
import { openTestBackend } from './goldens'
import { collectToy, filesOf, HOOKS, spoiledToy, toyCorpus } from './collect-toy'
import { SINK_ID, TOY, toyModel, TOY_TOKENS } from './toy-model'

const backend = await openTestBackend('cpu')
let root = ''
let corpus: Corpus
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'monoscope-collect-'))
  corpus = await toyCorpus(600)
})
afterAll(() => rm(root, { recursive: true, force: true }))

const bits = new Uint32Array(1)
const value = new Float32Array(bits.buffer)
const halves = (vector: Float32Array) =>
  Array.from(vector, (exact) => {
    value[0] = exact
    return narrowHalf(bits[0] ?? 0)
  })

/** Vectors on disk by document and position, as half-precision patterns. */
function storedOf(folder: string, index: ActivationIndex, hookName: string, part: 'training' | 'heldOut') {
  const stored = new Map<string, number[]>()
  for (const shard of index.hooks.find((hook) => hook.hookName === hookName)?.[part] ?? []) {
    if (!shard) throw new Error('a shard is missing')
    const rows = readShard(shardPath(folder, hookName, shard.file), { ...shard, isTrusted: false }, TOY.dIn)
    rows.positions.forEach((position, row) => {
      const vector = rows.vectors.subarray(row * TOY.dIn, (row + 1) * TOY.dIn)
      stored.set(`${rows.documents[row] ?? -1}:${position}`, [...vector])
    })
  }
  return stored
}

/** The same, from the model as it is. */
function computedOf(windows: Corpus['training'], hookName: string, sinkNorm: number) {
  const computed = new Map<string, number[]>()
  const model = toyModel()
  const order = Array.from({ length: windowCount(windows) }, (_, w) => w)
  const walk = walkWindows(modelSource(model, hookName, TOY_TOKENS), windows, { order, contextSize: TOY.contextSize })
  for (const { window, vectors, norms } of walk) {
    norms.forEach((norm, t) => {
      const place = `${windows.documents[window] ?? -1}:${(windows.starts[window] ?? 0) + t}`
      if (norm <= sinkNorm) computed.set(place, halves(vectors.slice(t * TOY.dIn, (t + 1) * TOY.dIn)))
    })
  }
  model.dispose()
  return computed
}

describe.skipIf(!backend)('a set of activations', () => {
  it('holds every token but BOS and sinks, rounded to half precision', async () => {
    const folder = join(root, 'values')
    const index = await collectToy(folder, corpus)
    expect(index).toMatchObject({ isComplete: true, dIn: TOY.dIn, bosId: TOY.bosId, windowsPerShard: 170 })
    if (!index) return
    expect(await readIndex(folder)).toEqual(index)
    const sinks = corpus.training.ids.filter((id) => id === SINK_ID).length
    for (const hook of index.hooks) {
      const { hookName, training, sinkNorm, medianNorm } = hook
      expect(training.length).toBeGreaterThan(4)
      expect(sinkNorm).toBeCloseTo(10 * medianNorm, 3)
      expect(training.reduce((sum, shard) => sum + (shard?.sinks ?? 0), 0)).toBe(sinks)
      const stored = storedOf(folder, index, hookName, 'training')
      expect(stored.size).toBe(textTokens(corpus.training, TOY) - sinks)
      expect(stored).toEqual(computedOf(corpus.training, hookName, sinkNorm))
      expect(storedOf(folder, index, hookName, 'heldOut')).toEqual(computedOf(corpus.heldOut, hookName, sinkNorm))
    }
  })

  it('has the same bits whether hooks are collected together or alone', async () => {
    const together = await collectToy(join(root, 'together'), corpus)
    for (const hookName of HOOKS) {
      const alone = await collectToy(join(root, hookName), corpus, { hookNames: [hookName] })
      expect(alone?.hooks).toEqual(together?.hooks.filter((hook) => hook.hookName === hookName))
      expect(await filesOf(join(root, hookName, hookName))).toEqual(await filesOf(join(root, 'together', hookName)))
    }
  })

  it('mixes documents within a shard', async () => {
    const folder = join(root, 'values')
    const index = await readIndex(folder)
    const shard = index?.hooks[0]?.training[0]
    if (!index || !shard) throw new Error('the set is there')
    const { documents } = readShard(
      shardPath(folder, HOOKS[0] ?? '', shard.file),
      { ...shard, isTrusted: false },
      TOY.dIn,
    )
    const half = Math.max(...corpus.training.documents) / 2
    const early = documents.filter((document) => document < half).length / documents.length
    expect(early).toBeGreaterThan(0.35)
    expect(early).toBeLessThan(0.65)
  })

  it('takes what was reckoned before, within 2 %', async () => {
    const text = { ...corpus, training: firstTokens(corpus.training, { tokens: 5000, bosId: TOY.bosId }) }
    expect(textTokens(text.training, TOY)).toBe(5000)
    // Sinks are rare in a language model; here every 38th token is one.
    const without = {
      ...text,
      training: { ...text.training, ids: text.training.ids.map((id) => (id === SINK_ID ? 6 : id)) },
    }
    const folder = join(root, 'size')
    const index = await collectToy(folder, without, { shardBytes: 1e6 })
    const reckoned = HOOKS.length * rowBytes(TOY.dIn) * (5000 + textTokens(without.heldOut, TOY))
    let bytes = 0
    for (const { hookName, training, heldOut } of index?.hooks ?? []) {
      for (const shard of [...training, ...heldOut]) {
        bytes += (await stat(shardPath(folder, hookName, shard?.file ?? ''))).size
      }
    }
    expect(Math.abs(bytes - reckoned) / reckoned).toBeLessThan(0.02)
  })
})

describe.skipIf(!backend)('a collection that was cut off', () => {
  it('goes on after its last finished shard, and ends with the same bytes', async () => {
    const whole = join(root, 'whole')
    await collectToy(whole, corpus)
    const expected = await filesOf(whole)
    const folder = join(root, 'cut')
    let calls = 0
    const stopped = await collectToy(folder, corpus, { onProgress: () => Promise.resolve(++calls < 500) })
    expect(stopped).toBeNull()
    const found = await readIndex(folder)
    expect(found).toMatchObject({ isComplete: false })
    const [first] = found?.hooks ?? []
    const path = shardPath(folder, HOOKS[0] ?? '', first?.training[0]?.file ?? '')
    const second = shardPath(folder, HOOKS[1] ?? '', first?.training[1]?.file ?? '')
    const { mtimeMs } = await stat(path)
    // What a kill leaves: part of a file under its waiting name. One finished file was damaged since, too.
    await writeFile(join(folder, HOOKS[1] ?? '', '.training-00002.safetensors.0123.part'), 'half')
    await writeFile(second, (await readFile(second)).subarray(0, 100))
    const index = await collectToy(folder, corpus, { found })
    expect(index?.isComplete).toBe(true)
    expect((await stat(path)).mtimeMs).toBe(mtimeMs)
    expect(await filesOf(folder)).toEqual(expected)
  })

  it('is refused when the text is another', async () => {
    const folder = join(root, 'other')
    const found = await collectToy(folder, corpus)
    const other = await toyCorpus(590)
    await expect(collectToy(folder, other, { found })).rejects.toMatchObject({ code: 'activations-changed' })
  })
})

describe.skipIf(!backend)('bad values', () => {
  const token = 9
  /** The first place of the token in the order of the dataset. */
  const places = () =>
    [corpus.training, corpus.heldOut].flatMap((windows) =>
      Array.from({ length: windowCount(windows) }, (_, w) => w).flatMap((w) => {
        const ids = windows.ids.subarray((windows.offsets[w] ?? 0) + 1, windows.offsets[w + 1])
        return Array.from(ids).flatMap((id, t) =>
          id === token ? [`${windows.documents[w] ?? -1}:${(windows.starts[w] ?? 0) + t}`] : [],
        )
      }),
    )

  it.each([
    ['NaN', Number.NaN],
    ['infinity', Infinity],
  ])('%s ends it, naming document and token', async (_, bad) => {
    const folder = join(root, `bad ${bad}`)
    await mkdir(folder)
    const model = spoiledToy((vector) => vector.fill(bad, 2, 3), token)
    const place = await collectToy(folder, corpus, { model }).then(
      () => 'none',
      (error: unknown) => {
        const { code, details } = toFailure(error)
        expect({ code, hookName: details.hookName }).toEqual({ code: 'activations-invalid', hookName: HOOKS[0] })
        return `${details.document ?? ''}:${details.position ?? ''}`
      },
    )
    expect(places()).toContain(place)
    expect(await filesOf(folder)).toEqual({})
  })

  it('values beyond half precision end it; those of a sink are left out anyway', async () => {
    const model = spoiledToy((vector) => vector.map((x) => x * 1e5), null)
    const refused = collectToy(join(root, 'large'), corpus, { model })
    await expect(refused).rejects.toMatchObject({ code: 'activations-overflow', details: { limit: 65504 } })
    const one = spoiledToy((vector) => vector.map((x) => x * 1e5), token)
    expect(await collectToy(join(root, 'one large'), corpus, { model: one })).toMatchObject({ isComplete: true })
  })

  it('all the same end it when s is estimated, from text as from a collection', async () => {
    const order = Int32Array.from({ length: windowCount(corpus.training) }, (_, w) => w)
    for (const fill of [0, 0.5]) {
      const model = toyModel()
      const { forward } = model
      model.forward = (ids, options) => {
        const result = forward.call(model, ids, options)
        for (const tensor of Object.values(result.captured)) {
          const same = tensor.dataSync<'float32'>().fill(fill)
          tensor.dataSync = () => same as never
        }
        return result
      }
      const constant = { code: 'activations-constant', details: { hookName: HOOKS[0] } }
      const source = modelSource(model, HOOKS[0] ?? '', TOY_TOKENS)
      const measure = () => measureScale(source, corpus.training, { order, contextSize: TOY.contextSize })
      expect(measure).toThrow(expect.objectContaining({ code: constant.code }))
      await expect(collectToy(join(root, `constant ${fill}`), corpus, { model })).rejects.toMatchObject(constant)
    }
  })
})
