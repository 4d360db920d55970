/** Nearest features and logit weights against every pair and every token computed plainly in float64. */
import { expect, it } from 'vitest'
import { measureWeights } from '../../src/main/engine/measure/feature-weights'
import type { SaeWeights } from '../../src/main/engine/sae/architecture'
import { Random } from '../../src/main/engine/train/random'
import { memoryReport, tf } from '../../src/main/engine/tf'

const [D_IN, D_SAE, VOCABULARY] = [7, 90, 61]
/** Has no decoder row. */
const NOWHERE = 11
/** Copies of one feature: the lower index comes first. */
const TWINS = [20, 33, 70] as const

const draw = (length: number, seed: number) => {
  const random = Random.fromSeed(seed)
  return Float32Array.from({ length }, () => random.normal())
}
const HEAD = draw(D_IN * VOCABULARY, 5)

function example(): SaeWeights {
  const wDec = draw(D_SAE * D_IN, 6)
  wDec.fill(0, NOWHERE * D_IN, (NOWHERE + 1) * D_IN)
  for (const twin of TWINS) wDec.copyWithin(twin * D_IN, TWINS[0] * D_IN, (TWINS[0] + 1) * D_IN)
  return {
    wEnc: { shape: [D_IN, D_SAE], data: draw(D_IN * D_SAE, 7) },
    wDec: { shape: [D_SAE, D_IN], data: wDec },
  }
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, j) => sum + x * (b[j] ?? 0), 0)
const cosine = (a: readonly number[], b: readonly number[]) => {
  const length = Math.sqrt(dot(a, a) * dot(b, b))
  return length > 0 ? dot(a, b) / length : 0
}

export function featureWeightsCase(): void {
  const weights = example()
  const data = (name: string) => weights[name]?.data ?? new Float32Array(0)
  const rows = Array.from({ length: D_SAE }, (_, i) => Array.from(data('wDec').subarray(i * D_IN, (i + 1) * D_IN)))
  const columns = rows.map((_, i) => Array.from({ length: D_IN }, (_, j) => data('wEnc')[j * D_SAE + i] ?? 0))
  const effects = rows.map((row) =>
    Array.from({ length: VOCABULARY }, (_, token) =>
      dot(
        row,
        Array.from({ length: D_IN }, (_, j) => HEAD[j * VOCABULARY + token] ?? 0),
      ),
    ),
  )
  const sae = { architecture: 'standard' as const, dIn: D_IN, dSae: D_SAE, weights }
  const measure = async (isToken: (id: number) => boolean = () => true) => {
    const head = tf.tensor2d(HEAD, [D_IN, VOCABULARY])
    const before = memoryReport().tensors
    const project = (directions: tf.Tensor2D): tf.Tensor2D => tf.matMul(directions, head)
    const found = await measureWeights({
      sae,
      logits: { project, vocabulary: VOCABULARY, isToken },
      onBlock: () => Promise.resolve(true),
    })
    expect(memoryReport().tensors).toBe(before)
    head.dispose()
    if (!found?.logits) throw new Error('nothing was measured')
    return { ...found, logits: found.logits }
  }

  it('finds the nearest features of every feature', async () => {
    const { neighbours, neighbourCosines, decoderNorm, encoderCosine } = await measure()
    rows.forEach((row, i) => {
      expect(decoderNorm[i]).toBeCloseTo(Math.sqrt(dot(row, row)), 5)
      expect(encoderCosine[i]).toBeCloseTo(cosine(columns[i] ?? [], row), 5)
      const found = Array.from(neighbours.subarray(i * 20, (i + 1) * 20))
      if (i === NOWHERE) return expect(found).toEqual(new Array(20).fill(-1))
      expect(new Set(found)).toHaveLength(20)
      expect(found).not.toContain(i)
      expect(found).not.toContain(NOWHERE)
      const others = rows.map((other, j) => (j === i || j === NOWHERE ? -2 : cosine(row, other))).sort((a, b) => b - a)
      found.forEach((j, rank) => {
        expect(neighbourCosines[i * 20 + rank]).toBeCloseTo(others[rank] ?? 0, 5)
        expect(neighbourCosines[i * 20 + rank]).toBeCloseTo(cosine(row, rows[j] ?? []), 5)
      })
    })
    expect(neighbours[TWINS[0] * 20]).toBe(TWINS[1])
    expect(neighbours[TWINS[0] * 20 + 1]).toBe(TWINS[2])
    expect(neighbours[TWINS[2] * 20]).toBe(TWINS[0])
  })

  it('leaves out rows of a padded embedding, which stand for no token', async () => {
    const padded = new Set([0, 5, VOCABULARY - 1, ...Array.from({ length: 9 }, (_, i) => 10 + 2 * i)])
    const { logits } = await measure((id) => !padded.has(id))
    effects.forEach((effect, i) => {
      const ids = Array.from(logits.ids.subarray(i * 20, (i + 1) * 20))
      expect(ids.filter((id) => padded.has(id))).toEqual([])
      const bins = logits.histogram.subarray(i * 50, (i + 1) * 50)
      expect(bins.reduce((sum, count) => sum + count, 0)).toBe(VOCABULARY - padded.size)
      const real = effect.filter((_, id) => !padded.has(id))
      expect(logits.range[2 * i]).toBeCloseTo(Math.min(...real), 4)
      expect(logits.range[2 * i + 1]).toBeCloseTo(Math.max(...real), 4)
    })
  })
  it('finds the tokens at both ends of the logit weights, and counts all of them', async () => {
    const { logits } = await measure()
    effects.forEach((effect, i) => {
      const order = effect.map((value, token) => ({ value, token })).sort((a, b) => b.value - a.value)
      const ends = i === NOWHERE ? [] : [...order.slice(0, 10), ...order.reverse().slice(0, 10)]
      ends.forEach(({ value, token }, at) => {
        expect(logits.values[i * 20 + at]).toBeCloseTo(value, 4)
        expect(logits.ids[i * 20 + at]).toBe(token)
      })
      const [low = 0, high = 0] = logits.range.subarray(2 * i, 2 * i + 2)
      expect(low).toBeCloseTo(Math.min(...effect), 4)
      expect(high).toBeCloseTo(Math.max(...effect), 4)
      const bins = Array.from(logits.histogram.subarray(i * 50, (i + 1) * 50))
      expect(bins.reduce((sum, count) => sum + count, 0)).toBe(VOCABULARY)
      if (i === NOWHERE) return
      const slack = (high - low) * 1e-5
      let below = 0
      bins.forEach((count, bin) => {
        below += count
        const border = low + ((bin + 1) * (high - low)) / 50
        const counted = (limit: number) => effect.filter((value) => value < limit).length
        expect(below).toBeGreaterThanOrEqual(Math.min(VOCABULARY, counted(border - slack)))
        if (bin < 49) expect(below).toBeLessThanOrEqual(counted(border + slack))
      })
    })
  })

  it('has no logits off the residual stream, and ends when it is told to', async () => {
    const onBlock = () => Promise.resolve(true)
    expect(await measureWeights({ sae, logits: null, onBlock })).toMatchObject({ logits: null })
    expect(await measureWeights({ sae, logits: null, onBlock: () => Promise.resolve(false) })).toBeNull()
  })
}
