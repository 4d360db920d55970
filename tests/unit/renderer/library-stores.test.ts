// @vitest-environment happy-dom
/** Library beyond the lists: drops, documents, token counts, the hub and its downloads, over the real wire. */
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AppError } from '../../../src/shared/errors'
import { FakeLmHost, makeDownload } from './fake-lm'
import { makeDataset, makeModel } from './fake-runs'

const bridge = vi.hoisted<{ host: unknown }>(() => ({ host: null }))
vi.mock('../../../src/renderer/app/client', async () => {
  const { ref } = await import('vue')
  const host = () => bridge.host as FakeLmHost
  const client: FakeLmHost['client'] = {
    call: (name, input, signal) => host().client.call(name, input, signal),
    feed: (name, input, onNext, onEnd) => host().client.feed(name, input, onNext, onEnd),
  }
  return { client, connectionState: ref('open') }
})

const { useLibrary } = await import('../../../src/renderer/views/library/library.store')
const { useDatasetDetails } = await import('../../../src/renderer/views/library/dataset-details.store')
const { useHub, wholeNumber } = await import('../../../src/renderer/views/library/hub.store')
const { droppedPath, useDrop } = await import('../../../src/renderer/views/library/drop-path')
const { secondsToGo, useDownloads } = await import('../../../src/renderer/app/downloads.store')

let host: FakeLmHost
beforeEach(() => {
  host = new FakeLmHost()
  bridge.host = host
  setActivePinia(createPinia())
})
const inputsOf = (name: string) => host.calls.filter((call) => call.name === name).map(({ input }) => input)

describe('adding', () => {
  it('adds a dropped model at once, and keeps the path of a refused one', async () => {
    const library = useLibrary()
    expect(await library.dropModel('/dropped/model')).toBe(true)
    expect(library.models?.map(({ path }) => path)).toEqual(['/dropped/model'])
    host.failing.set('models.add', new AppError('tokenizer-missing', { path: '/dropped/other' }))
    expect(await library.dropModel('/dropped/other')).toBe(false)
    expect(library.modelForm).toMatchObject({ path: '/dropped/other', error: { code: 'tokenizer-missing' } })
  })

  it('lets the column be chosen for a dropped text, and asks to leave repeated documents out', async () => {
    const library = useLibrary()
    library.textForm.error = new AppError('cancelled')
    library.dropText('/dropped/texts')
    expect(library.textForm).toMatchObject({ path: '/dropped/texts', error: null })
    expect(inputsOf('datasets.add')).toEqual([])
    library.textField = ' story '
    library.deduplicate = true
    expect(await library.addText()).toBe(true)
    expect(inputsOf('datasets.add')).toEqual([{ path: '/dropped/texts', textField: 'story', deduplicate: true }])
  })

  it('takes no drop while an answer is awaited', async () => {
    const library = useLibrary()
    library.modelForm.path = '/models/a'
    const adding = library.addModel()
    expect(await library.dropModel('/models/b')).toBe(false)
    await adding
    expect(inputsOf('models.add')).toEqual([{ path: '/models/a' }])
  })
})

describe('a drop', () => {
  const makeEvent = (types: string[], files: File[]) => {
    const event = new Event('drop', { cancelable: true })
    return Object.assign(event, { dataTransfer: { types, files } }) as unknown as DragEvent
  }
  afterEach(() => Reflect.deleteProperty(window, 'monoscope'))

  it('has a path where the window tells it, and says so where none is told', () => {
    const onPath = vi.fn()
    const { isOver, isUnknown, listeners } = useDrop(onPath)
    const event = makeEvent(['Files'], [new File([], 'model')])
    listeners.dragover(event)
    expect([isOver.value, event.defaultPrevented]).toEqual([true, true])
    listeners.drop(event)
    expect([isOver.value, isUnknown.value, onPath.mock.calls.length]).toEqual([false, true, 0])

    Object.assign(window, { monoscope: { pathOf: (file: File) => `/disk/${file.name}` } })
    expect(droppedPath(event)).toBe('/disk/model')
    listeners.drop(event)
    expect(isUnknown.value).toBe(false)
    expect(onPath.mock.calls).toEqual([['/disk/model']])
  })

  it('leaves dragged text alone', () => {
    const { isOver, listeners } = useDrop(() => undefined)
    const event = makeEvent(['text/plain'], [])
    listeners.dragover(event)
    expect([isOver.value, event.defaultPrevented]).toEqual([false, false])
  })
})

describe('documents', () => {
  it('come ten at a time, and a newer page wins over a late older one', async () => {
    const details = useDatasetDetails()
    await details.show(1)
    expect(details.documents?.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    let open: () => void = () => undefined
    host.gate = new Promise((resolve) => (open = resolve))
    const late = details.show(1, 10)
    host.gate = Promise.resolve()
    await details.show(1, 20)
    open()
    await late
    expect([details.first, details.documents?.[0]?.index]).toEqual([20, 20])
    expect(inputsOf('datasets.preview').at(-1)).toEqual({ datasetId: 1, first: 20, count: 10 })
  })

  it('say why they cannot be read, and go when hidden', async () => {
    const details = useDatasetDetails()
    host.failing.set('datasets.preview', new AppError('not-found', { what: 'dataset', id: 1 }))
    await details.show(1, -10)
    expect([details.first, details.previewError]).toMatchObject([0, { code: 'not-found' }])
    details.hide()
    expect([details.openId, details.documents, details.previewError]).toEqual([null, null, null])
  })
})

describe('counting tokens', () => {
  it('puts the count into the list, once per model', async () => {
    host.models = [makeModel(3)]
    host.datasets = [makeDataset(1), makeDataset(2)]
    const [library, details] = [useLibrary(), useDatasetDetails()]
    await library.load()
    await details.countTokens(2, 3)
    host.count = { tokens: 999, isExact: true }
    await details.countTokens(2, 3)
    expect(library.datasets?.map(({ tokenCounts }) => tokenCounts)).toEqual([
      [],
      [{ modelId: 3, tokens: 999, isExact: true }],
    ])
  })

  it('runs one at a time, and says of which text it failed', async () => {
    const details = useDatasetDetails()
    host.failing.set('datasets.countTokens', new AppError('not-found', { what: 'dataset', id: 1 }))
    const first = details.countTokens(1, 3)
    expect(details.countingId).toBe(1)
    await details.countTokens(2, 3)
    await first
    expect(inputsOf('datasets.countTokens')).toEqual([{ datasetId: 1, modelId: 3 }])
    expect(details.countError).toMatchObject({ datasetId: 1, failure: { code: 'not-found' } })
    expect(details.countingId).toBeNull()
  })
})

describe('the hub form', () => {
  it('asks for a model, and clears the name once it has begun', async () => {
    const hub = useHub()
    expect(hub.request).toBeNull()
    hub.form.source = ' org/small@main '
    expect(await hub.start()).toBe(true)
    expect(inputsOf('downloads.start')).toEqual([{ kind: 'model', source: 'org/small@main' }])
    expect(hub.form.source).toBe('')
  })

  it('asks for rows of a dataset only when they are numbers', async () => {
    const hub = useHub()
    hub.form.kind = 'dataset'
    hub.form.source = 'org/texts'
    for (const rows of ['', '0', '1.5', 'many', '100,000,001']) {
      hub.form.rows = rows
      expect([hub.rows, hub.request], rows).toEqual([null, null])
    }
    expect(await hub.start()).toBe(false)
    Object.assign(hub.form, { rows: '2,500', firstRow: '100', config: ' ', textField: 'content' })
    await hub.start()
    expect(inputsOf('downloads.start')).toEqual([
      {
        ...{ kind: 'dataset', source: 'org/texts' },
        rows: { config: 'default', split: 'train', textField: 'content', firstRow: 100, rows: 2500 },
      },
    ])
    expect(wholeNumber('12,34')).toBeNull()
  })

  it('keeps the name of a refused one with the reason', async () => {
    const hub = useHub()
    hub.form.source = 'nonsense'
    host.failing.set('downloads.start', new AppError('hub-source-invalid', { source: 'nonsense' }))
    expect(await hub.start()).toBe(false)
    expect([hub.form.source, hub.isBusy, hub.error]).toMatchObject(['nonsense', false, { code: 'hub-source-invalid' }])
  })

  it('switches offline and keeps or forgets a token', async () => {
    const hub = useHub()
    await hub.load()
    await hub.setOffline(true)
    expect(hub.status?.isOffline).toBe(true)
    await hub.setToken('secret')
    expect([hub.status?.token, host.keptToken]).toEqual(['keychain', 'secret'])
    await hub.setToken(null)
    expect([hub.status?.token, host.keptToken]).toEqual(['none', null])
    host.failing.set('hub.setToken', new AppError('hub-token-unkept', { reason: 'no keychain' }))
    expect(await hub.setToken('other')).toBe(false)
    expect([hub.status?.token, hub.statusError]).toMatchObject(['none', { code: 'hub-token-unkept' }])
  })
})

describe('downloads', () => {
  it('are followed, and one that is done is told', async () => {
    host.downloads = [makeDownload(1), makeDownload(2, { state: 'done', modelId: 9 })]
    const downloads = useDownloads()
    downloads.follow()
    await vi.waitFor(() => expect(downloads.list).toHaveLength(2))
    expect(downloads.active.map(({ id }) => id)).toEqual([1])
    expect(downloads.share).toBe(0.25)
    expect(secondsToGo(downloads.list[0]!)).toBe(15)
    const before = downloads.finished
    host.setDownloads([makeDownload(1, { doneBytes: 50 }), ...host.downloads.slice(1)])
    await vi.waitFor(() => expect(downloads.share).toBe(0.5))
    expect(downloads.finished).toBe(before)
    host.setDownloads([makeDownload(1, { state: 'done', modelId: 10 }), ...host.downloads.slice(1)])
    await vi.waitFor(() => expect(downloads.finished).toBe(before + 1))
    expect([downloads.share, downloads.active]).toEqual([null, []])
  })

  it('have no share before their files are listed', () => {
    const listing = makeDownload(1, { state: 'listing', totalBytes: null, bytesPerSecond: null })
    expect(secondsToGo(listing)).toBeNull()
    expect(secondsToGo(makeDownload(1, { bytesPerSecond: 0 }))).toBeNull()
  })

  it('are stopped, repeated with the same rows, and taken off the list', async () => {
    const downloads = useDownloads()
    downloads.follow()
    const rows = { config: 'default', split: 'train', textField: 'text', firstRow: 0, rows: 7 }
    const started = await downloads.start({ kind: 'dataset', source: 'org/texts', rows })
    expect(await downloads.cancel(started.id)).toBe(true)
    await vi.waitFor(() => expect(downloads.list[0]?.state).toBe('cancelled'))
    expect(await downloads.again(downloads.list[0]!)).toBe(true)
    expect(inputsOf('downloads.start').at(-1)).toMatchObject({ source: 'org/texts', rows })
    await vi.waitFor(() => expect(downloads.list.map(({ id, state }) => [id, state])).toEqual([[2, 'listing']]))
    host.failing.set('downloads.dismiss', new AppError('not-found', { what: 'download', id: 2 }))
    expect(await downloads.dismiss(2)).toBe(false)
    expect(downloads.error).toMatchObject({ code: 'not-found' })
  })

  it('of a dataset that another page began cannot be repeated here', () => {
    const downloads = useDownloads()
    expect(downloads.requestOf(makeDownload(5, { kind: 'dataset', source: 'org/texts' }))).toBeNull()
    expect(downloads.requestOf(makeDownload(5))).toEqual({ kind: 'model', source: 'org/model-5' })
  })
})
