/** The metrics file of a training: begun afresh, or cut back to where a resumed training goes on. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import type { FromWorker } from '../../src/main/jobs/messages'
import { TrainingReporter } from '../../src/main/tasks/reporter'
import type { MetricPoint } from '../../src/shared/domain'
import { temporaryFolder } from '../fixtures/samples'

const point = (step: number): MetricPoint => ({
  ...{
    step,
    tokens: 64 * step,
    loss: 1 / (step + 1),
    mse: 0.1,
    aux: null,
    l0: 3,
    l1: 2,
    gradientNorm: 1,
    route: 'dense',
  },
  ...{ explainedVariance: null, heldOutL0: null, deadFraction: 0, learningRate: 1e-3 },
})
const lines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `${JSON.stringify(point(from + i))}\n`).join('')

let sent: FromWorker[] = []
const channel = {
  send: (message: FromWorker) => void sent.push(message),
  isCancelled: () => false,
  backend: { name: 'cpu' as const, device: 'none', reason: '' },
  threadEntry: '',
}
beforeEach(() => {
  sent = []
})
const pointsSent = () => sent.flatMap((message) => (message.type === 'metrics' ? message.points : []))

it('starts an empty file for a training that begins, whatever was there', async () => {
  const path = join(temporaryFolder(), 'deep', 'metrics.jsonl')
  const reporter = await TrainingReporter.open(channel, path, { step: 0, steps: 10, tokens: 0 })
  reporter.add(point(0))
  await reporter.flush(1, 64)
  expect(await readFile(path, 'utf8')).toBe(lines(0, 0))
  await TrainingReporter.open(channel, path, { step: 0, steps: 10, tokens: 0 })
  expect(await readFile(path, 'utf8')).toBe('')
})

it('keeps what lies before the step a training goes on at, byte for byte, and sends it again', async () => {
  const path = join(temporaryFolder(), 'metrics.jsonl')
  await writeFile(path, `${lines(0, 1999)}{"step":2000,"tok`)
  const reporter = await TrainingReporter.open(channel, path, { step: 1500, steps: 3000, tokens: 96_000 })
  expect(await readFile(path, 'utf8')).toBe(lines(0, 1499))
  expect(sent[0]).toEqual({ type: 'progress', done: 1500, total: 3000, tokensPerSecond: null })
  expect(pointsSent().map(({ step }) => step)).toEqual(Array.from({ length: 1500 }, (_, step) => step))
  reporter.add(point(1500))
  await reporter.flush(1501, 96_064)
  expect(await readFile(path, 'utf8')).toBe(lines(0, 1500))
  // Speed counts what was computed since, not the tokens of the checkpoint.
  const progress = sent.filter((message) => message.type === 'progress').pop()
  expect(progress).toMatchObject({ done: 1501 })
  expect(progress?.tokensPerSecond).toBeLessThan(64 / 1e-4)
})

it('goes on without the points when the file is gone, and drops a torn line', async () => {
  const path = join(temporaryFolder(), 'metrics.jsonl')
  await writeFile(path, `${lines(0, 2)}{"step":3,"tok`)
  await TrainingReporter.open(channel, path, { step: 3, steps: 9, tokens: 192 })
  expect(await readFile(path, 'utf8')).toBe(lines(0, 2))
  await rm(path)
  await TrainingReporter.open(channel, path, { step: 3, steps: 9, tokens: 192 })
  expect(await readFile(path, 'utf8')).toBe('')
})
