// @vitest-environment happy-dom
/** The model page: reading a text, walking over its tokens, and generations as they come, over the real wire. */
import { flushPromises } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Generated } from '../../../src/shared/contract/lm'
import { AppError } from '../../../src/shared/errors'
import { FakeLmHost } from './fake-lm'
import { makeModel } from './fake-runs'

const bridge = vi.hoisted<{ host: unknown }>(() => ({ host: null }))
vi.mock('../../../src/renderer/app/client', () => {
  const host = () => bridge.host as FakeLmHost
  const client: FakeLmHost['client'] = {
    call: (name, input, signal) => host().client.call(name, input, signal),
    feed: (name, input, onNext, onEnd) => host().client.feed(name, input, onNext, onEnd),
  }
  return { client, connectionState: { value: 'open' } }
})

const { useModelPage } = await import('../../../src/renderer/views/models/model.store')
const { MAX_PROMPTS, useContinue } = await import('../../../src/renderer/views/models/continue.store')

let host: FakeLmHost
beforeEach(() => {
  host = new FakeLmHost()
  bridge.host = host
  setActivePinia(createPinia())
})
const inputsOf = (name: string) => host.calls.filter((call) => call.name === name).map(({ input }) => input)
const token = (prompt: number, id: number, text: string, probability = 0.5): Generated => ({
  ...{ type: 'token', prompt, id, text, probability, special: false },
})

describe('reading', () => {
  it('shows what comes next first, and walks over tokens and characters', async () => {
    const page = useModelPage()
    await page.read(1, ' end')
    expect([page.readText, page.selected, page.selectedSpan, page.maxLoss]).toEqual([' end', 3, 2, 4])
    expect(page.perplexity).toBeCloseTo(Math.exp(7 / 3))
    page.select(1)
    expect([page.token?.id, page.selectedSpan]).toEqual([2, 1])
    page.select(2)
    expect([page.token?.id, page.selectedSpan]).toEqual([3, 1])
    // A character of several tokens is entered at its last.
    page.select(0)
    page.selectSpan(1)
    expect(page.token?.id).toBe(3)
    page.selectSpan(2)
    expect(page.token?.id).toBe(4)
    page.select(99)
    expect(page.selected).toBe(3)
    page.select(-1)
    expect(page.selected).toBe(0)
  })

  it('takes the newer of two answers, and says after a while that it waits', async () => {
    const page = useModelPage()
    let open: () => void = () => undefined
    host.gate = new Promise((resolve) => (open = resolve))
    const late = page.read(1, 'old')
    expect([page.isReading, page.isSlow]).toEqual([true, false])
    await vi.waitFor(() => expect(page.isSlow).toBe(true))
    host.gate = Promise.resolve()
    await page.read(1, 'new')
    expect([page.isReading, page.isSlow, page.readText]).toEqual([false, false, 'new'])
    open()
    await late
    expect(page.readText).toBe('new')
    expect(page.readError).toBeNull()
  })

  it('keeps the last answer beside a failure, and asks nothing of an empty text', async () => {
    const page = useModelPage()
    await page.read(1, 'good')
    host.failing.set('lm.read', new AppError('prompt-too-long', { tokens: 600, limit: 512 }))
    await page.read(1, 'too long')
    expect([page.readText, page.isReading, page.readError]).toMatchObject(['good', false, { code: 'prompt-too-long' }])
    await page.read(1, '')
    expect(inputsOf('lm.read')).toHaveLength(2)
  })

  it('forgets the answer of another model, and knows when one is missing', async () => {
    host.models = [makeModel(1), makeModel(2)]
    const page = useModelPage()
    await page.load(1)
    await page.read(1, 'text')
    await page.load(1)
    expect([page.model?.name, page.answer === null]).toEqual(['model-1', false])
    await page.load(2)
    expect([page.model?.name, page.answer]).toEqual(['model-2', null])
    await page.load(3)
    expect([page.isLoaded, page.model]).toEqual([true, null])
    host.failing.set('models.list', new AppError('connection-lost'))
    await page.load(2)
    expect(page.error).toMatchObject({ code: 'connection-lost' })
  })
})

describe('continuing', () => {
  it('puts tokens together as they come, and ends each prompt by itself', async () => {
    const store = useContinue()
    store.add()
    store.prompts[1]!.text = 'Second'
    await store.generate(1, 'Example')
    expect(store.results.map(({ prompt }) => prompt)).toEqual(['Example', 'Second'])
    host.write([token(0, 5, ' a'), token(1, 6, '', 0.25), token(0, 7, ' b', 0.1)])
    await vi.waitFor(() => expect(store.results[0]?.pieces).toHaveLength(2))
    expect(store.results[1]?.pieces).toEqual([])
    expect(store.isRunning).toBe(true)
    host.write([token(1, 8, '한'), { type: 'end', prompt: 0, reason: 'stop-token' }])
    await vi.waitFor(() => expect(store.results[0]?.end).toBe('stop-token'))
    expect(store.results[1]?.pieces).toEqual([{ text: '한', special: false, ids: [6, 8], probabilities: [0.25, 0.5] }])
    expect(store.results[1]?.end).toBeNull()
    host.write([{ type: 'end', prompt: 1, reason: 'length' }], true)
    await vi.waitFor(() => expect(store.isRunning).toBe(false))
    expect(store.results.map(({ end }) => end)).toEqual(['stop-token', 'length'])
  })

  it('stops, and takes nothing in that comes afterwards', async () => {
    const store = useContinue()
    await store.generate(1, 'Example')
    host.write([token(0, 5, ' a')])
    await vi.waitFor(() => expect(store.results[0]?.pieces).toHaveLength(1))
    store.stop()
    expect([store.isRunning, store.results[0]?.end]).toEqual([false, 'stopped'])
    await vi.waitFor(() => expect(host.stopped).toBe(1))
    host.write([token(0, 6, ' late')])
    await flushPromises()
    expect(store.results[0]?.pieces.map(({ text }) => text)).toEqual([' a'])
    expect(store.error).toBeNull()
  })

  it('keeps what was written when it fails', async () => {
    const store = useContinue()
    await store.generate(1, 'Example')
    host.write([token(0, 5, ' a')])
    await vi.waitFor(() => expect(store.results[0]?.pieces).toHaveLength(1))
    host.cut()
    await vi.waitFor(() => expect(store.error).toMatchObject({ code: 'connection-lost' }))
    expect([store.isRunning, store.results[0]?.end, store.results[0]?.pieces.length]).toEqual([false, 'failed', 1])
  })

  it('holds one to four prompts, and leaves empty ones out', async () => {
    const store = useContinue()
    for (let more = 0; more < 6; more++) store.add()
    expect(store.prompts).toHaveLength(MAX_PROMPTS)
    await store.generate(1, 'Example')
    expect(inputsOf('lm.generate')).toMatchObject([{ prompts: ['Example'] }])
    store.stop()
    for (const { id } of [...store.prompts]) store.remove(id)
    expect(store.prompts).toHaveLength(1)
    store.prompts[0]!.text = ''
    await store.generate(1, 'Example')
    expect(inputsOf('lm.generate')).toHaveLength(1)
  })

  it('asks with the numbers as typed, and not while one is wrong', async () => {
    const store = useContinue()
    Object.assign(store.typed, { maxTokens: '1,024', temperature: '0.7', topP: '0.9', seed: '42' })
    await store.generate(1, 'Example')
    await vi.waitFor(() => expect(inputsOf('lm.generate')).toHaveLength(1))
    expect(inputsOf('lm.generate')[0]).toMatchObject({
      sampling: { maxTokens: 1024, temperature: 0.7, topP: 0.9, seed: 42 },
    })
    store.stop()
    Object.assign(store.typed, { maxTokens: '0', temperature: '', topP: '0', seed: '1.5' })
    expect(store.wrong).toEqual(['maxTokens', 'temperature', 'topP', 'seed'])
    await store.generate(1, 'Example')
    expect(inputsOf('lm.generate')).toHaveLength(1)
  })

  it('continues a chat as its template writes it', async () => {
    const store = useContinue()
    Object.assign(store.chat, { isOn: true, system: 'Be short.' })
    await store.generate(1, 'Hello')
    expect(store.templateText).toBe('<system>Be short.<user>Hello')
    await vi.waitFor(() => expect(inputsOf('lm.generate')).toHaveLength(1))
    expect(inputsOf('lm.generate')[0]).toMatchObject({ prompts: ['<system>Be short.<user>Hello'] })
    host.failing.set('lm.chatText', new AppError('chat-template-failed', { model: 'm', reason: 'no system' }))
    await store.generate(1, 'Hello')
    expect([store.isRunning, store.templateText, store.error]).toMatchObject([
      false,
      null,
      { code: 'chat-template-failed' },
    ])
    expect(inputsOf('lm.generate')).toHaveLength(1)
  })
})
