/** The stream of activations: wherever it is stopped and resumed, it goes on with the same bits. */
import { describe, expect, it } from 'vitest'
import { passWindows } from '../../src/main/engine/train/activations'
import type { ActivationSource } from '../../src/main/engine/train/activations'
import { WindowList } from '../../src/main/engine/train/contexts'
import { Random } from '../../src/main/engine/train/random'
import { ActivationStream, StreamPlace } from '../../src/main/engine/train/stream'

const D_IN = 2
const WINDOWS = 23
/** Five windows a pass, so that the last pass over the text is not full. */
const CONTEXT = 800
const input = { scale: 0.5, medianNorm: 1, sinkNorm: 1e9, tokens: 1, sinks: 0 }
const random = Random.fromSeed(4).state

const windows = (() => {
  const list = new WindowList()
  for (let w = 0; w < WINDOWS; w++) {
    const length = 2 + (w % 7)
    list.add({ ids: Array.from({ length }, (_, i) => (i === 0 ? 1 : 100 * w + i)), start: 0 }, w)
  }
  return list.toWindows()
})()

/** A model whose result depends on everything in its pass, padding and place in the batch included, and that counts its passes. */
function sensitiveSource(passesAhead: number): ActivationSource & { passes: number } {
  return {
    ...{ hookName: 'x', bosId: 1, specialIds: new Set<number>(), dIn: D_IN, passesAhead, passes: 0 },
    start(ids, rows) {
      this.passes += 1
      const company = ids.reduce((sum, id, at) => (sum * 31 + id * (at + 1)) % 65_521, rows)
      return () =>
        Float32Array.from({ length: ids.length * D_IN }, (_, at) => (ids[at >> 1] ?? 0) + company * (1 + (at & 1)))
    },
    dispose: () => undefined,
  }
}

const modes = [
  { name: 'kept in memory', largestCache: undefined },
  { name: 'computed in every pass', largestCache: 0 },
]
const open = (largestCache: number | undefined, source = sensitiveSource(1), words = random) =>
  new ActivationStream(source, windows, {
    ...{ contextSize: CONTEXT, input, random: words },
    ...(largestCache === undefined ? {} : { largestCache }),
  })

const take = (stream: ActivationStream, count: number) =>
  Array.from({ length: count }, () => {
    const { vectors, positions } = stream.next().value
    return { vectors: [...vectors], positions: [...positions] }
  })

describe.each(modes)('the stream of activations, $name', ({ largestCache }) => {
  it('has neighbours that matter in this test', () => {
    expect(passWindows(CONTEXT)).toBe(5)
    const [one, other] = [take(open(largestCache), 1), take(open(largestCache, undefined, Random.fromSeed(5).state), 1)]
    expect(one).not.toEqual(other)
  })

  it('goes on with the same bits from every place of three passes', () => {
    const all = take(open(largestCache), 3 * WINDOWS + 9)
    const stopped = open(largestCache)
    for (let at = 0; at < 3 * WINDOWS; at++) {
      const place = StreamPlace.parse(JSON.parse(JSON.stringify(stopped.place)))
      const resumed = open(largestCache, sensitiveSource(1 + (at % 3)), Random.fromSeed(77).state)
      resumed.resume(place)
      expect(resumed.place).toEqual(stopped.place)
      expect(take(resumed, 8)).toEqual(all.slice(at, at + 8))
      expect(take(stopped, 1)).toEqual(all.slice(at, at + 1))
    }
  })

  it('goes on after being stopped again and again at random places', () => {
    const all = take(open(largestCache), 100)
    const stops = Random.fromSeed(11)
    let stream = open(largestCache)
    const got: ReturnType<typeof take> = []
    while (got.length < 90) {
      got.push(...take(stream, stops.int(12)))
      const { place } = stream
      stream = open(largestCache, sensitiveSource(2))
      stream.resume(place)
    }
    expect(got).toEqual(all.slice(0, got.length))
  })

  it('refuses a place that is not one of its own', () => {
    const stream = open(largestCache)
    const place = { pass: 0, windowsDone: WINDOWS + 1, first: random, current: random }
    expect(() => stream.resume(place)).toThrow('behind the last window')
    expect(() => stream.resume({ shard: 3, row: 1 })).toThrow()
  })
})

it('computes only what is still needed of a pass that is not kept', () => {
  const stopped = open(0)
  take(stopped, 17)
  const source = sensitiveSource(1)
  const resumed = open(0, source)
  resumed.resume(stopped.place)
  take(resumed, WINDOWS - 17)
  // Windows 15 to 19 and 20 to 22.
  expect(source.passes).toBe(2)
})
