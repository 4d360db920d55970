/** What people write about features in its worst forms: far too long, with control characters, with HTML, from two windows at once. */
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openMonoscope, type Monoscope } from '../../src/main/monoscope'
import { contract, type MonoscopeClient, type MonoscopeContract } from '../../src/shared/contract'
import { connect, memoryWire, serve } from '../../src/shared/wire'
import { makeWorkspace } from '../fixtures/synthetic-workspace'

const HTML = '<img src=x onerror="document.title=1">'
const feature = { saeId: 1, featureIndex: 7 }
let folder: string
let monoscope: Monoscope
let client: MonoscopeClient
let other: MonoscopeClient

/** A window of its own on the same workspace. */
function openWindow(): MonoscopeClient {
  const wire = memoryWire()
  serve(wire.b, contract, monoscope.handlers, { checkOutputs: true })
  return connect<MonoscopeContract>(wire.a)
}

beforeAll(async () => {
  folder = await makeWorkspace({ features: 30 })
  monoscope = await openMonoscope({ folder, workerPath: '/no/worker', host: 'cli', version: '0.0.0' })
  client = openWindow()
  other = openWindow()
})
afterAll(async () => {
  await monoscope.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('what people write', () => {
  it('refuses a label of 10 MB with the limit, and writes nothing', async () => {
    const before = await client.call('features.get', feature)
    const refused = client.call('features.label', { ...feature, text: 'x'.repeat(10 * 1024 * 1024) })
    await expect(refused).rejects.toMatchObject({ code: 'text-too-long', details: { what: 'text', limit: 500 } })
    expect(await client.call('features.get', feature)).toEqual(before)
  })

  it('keeps labels, tags, lists and notes without control characters', async () => {
    const bad = 'Cats\u0000\u001b[31m and\r\ndogs'
    const [label] = await client.call('features.label', { ...feature, text: bad, author: 'A\u0007nn' })
    expect(label).toMatchObject({ text: 'Cats [31m and dogs', author: 'A nn' })
    const indexes = { saeId: 1, featureIndexes: [7] }
    expect(await client.call('features.tag', { ...indexes, name: 'a\u0000b' })).toMatchObject({ name: 'a b' })
    expect(await client.call('lists.put', { ...indexes, name: 'c\td' })).toMatchObject({ name: 'c d' })
    const [note] = await client.call('notes.add', { ...feature, text: 'first\nsecond\u0008' })
    expect(note?.text).toBe('first\nsecond')
    const empty = client.call('features.tag', { ...indexes, name: ' \u0000 ' })
    await expect(empty).rejects.toThrow('name: it may not be empty')
  })

  it('keeps HTML as the text that it is', async () => {
    const [label] = await client.call('features.label', { ...feature, text: HTML })
    expect(label?.text).toBe(HTML)
    const found = await client.call('features.list', { saeId: 1, filter: { text: '<img src' } })
    expect(found.rows.map(({ label: text }) => text)).toEqual([HTML])
  })

  it('keeps the last of two labels that two windows wrote at once, and both in the history', async () => {
    const place = { saeId: 1, featureIndex: 8 }
    const [mine, theirs] = await Promise.all([
      client.call('features.label', { ...place, text: 'mine', author: 'one' }),
      other.call('features.label', { ...place, text: 'theirs', author: 'two' }),
    ])
    expect(mine.map(({ text }) => text)).toEqual(['mine'])
    expect(theirs).toMatchObject([
      { text: 'theirs', chosen: true },
      { text: 'mine', chosen: false },
    ])
    for (const window of [client, other]) {
      const detail = await window.call('features.get', place)
      expect(detail.label).toBe('theirs')
      expect(detail.labels.map(({ text, author }) => [text, author])).toEqual([
        ['theirs', 'two'],
        ['mine', 'one'],
      ])
    }
  })
})
