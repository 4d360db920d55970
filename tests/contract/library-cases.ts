/** Calls about a model alone and a dataset alone, over a real workspace, worker and model. */
import { expect } from 'vitest'
import type { MonoscopeClient } from '../../src/shared/contract'
import type { Generated } from '../../src/shared/contract/lm'

/** Reads a text and writes on; a text that nobody waits for any more is given up. */
export async function askModel(client: MonoscopeClient, modelId: number): Promise<void> {
  const reading = await client.call('lm.read', { modelId, text: 'Once upon a time', top: 3 })
  expect(reading.spans.map(({ text }) => text).join('')).toContain('Once upon a time')
  expect(reading.tokens[0]).toMatchObject({ special: true, loss: null, rank: null })
  expect(reading.tokens.every(({ next }) => next.length === 3)).toBe(true)
  expect(reading.meanLoss).toBeGreaterThan(0)
  const prompts = ['Once upon a time', 'One day']
  const events: Generated[] = []
  await new Promise<void>((resolve, reject) =>
    client.feed(
      'lm.generate',
      { modelId, prompts, sampling: { maxTokens: 5 } },
      (event) => events.push(event),
      (error) => (error ? reject(error) : resolve()),
    ),
  )
  expect(events.filter(({ type }) => type === 'token')).toHaveLength(10)
  expect(events.filter(({ type }) => type === 'end')).toHaveLength(2)
  const endless = { modelId, prompts: ['Once'], sampling: { maxTokens: 4096 } }
  await new Promise<void>((resolve) => {
    const stop = client.feed('lm.generate', endless, () => {
      stop()
      resolve()
    })
  })
  const after = await client.call('lm.read', { modelId, text: 'One' })
  expect(after.readySeconds + after.seconds).toBeLessThan(5)
  const messages = [{ role: 'user' as const, content: 'x' }]
  await expect(client.call('lm.chatText', { modelId, messages })).rejects.toMatchObject({
    code: 'chat-template-missing',
  })
  await expect(client.call('lm.read', { modelId, text: ' ' })).rejects.toMatchObject({ code: 'prompt-empty' })
}

/** Looks into a dataset and counts its tokens. */
export async function readDataset(
  client: MonoscopeClient,
  { datasetId, modelId }: { datasetId: number; modelId: number },
): Promise<void> {
  const all = await client.call('datasets.preview', { datasetId, count: 50 })
  expect(all.map(({ index }) => index)).toEqual(Array.from({ length: 50 }, (_, i) => i))
  const some = await client.call('datasets.preview', { datasetId, first: 58, count: 5 })
  expect(some.map(({ index }) => index)).toEqual([58, 59])
  expect(all[0]?.characters).toBe(Array.from(all[0]?.text ?? '').length)
  const counted = await client.call('datasets.countTokens', { datasetId, modelId })
  expect(counted).toMatchObject({ modelId, isExact: true })
  expect(counted.tokens).toBeGreaterThan(60 * 50)
  const [dataset] = await client.call('datasets.list', {})
  expect(dataset?.tokenCounts).toEqual([counted])
  const missing = { datasetId: 99, modelId }
  await expect(client.call('datasets.countTokens', missing)).rejects.toMatchObject({ code: 'not-found' })
  await expect(client.call('datasets.preview', { datasetId: 99 })).rejects.toMatchObject({ code: 'not-found' })
}
