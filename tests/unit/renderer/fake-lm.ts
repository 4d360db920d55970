/** A workspace in memory that also previews and counts texts, downloads from a hub, and answers as a language model. */
import type { HubStatus } from '../../../src/shared/contract/hub'
import type { ChatMessage, Generated, Reading } from '../../../src/shared/contract/lm'
import type { Download, TokenCount } from '../../../src/shared/domain'
import { AppError } from '../../../src/shared/errors'
import { FakeHost, later } from './fake-runs'

export const makeDownload = (id: number, change: Partial<Download> = {}): Download => ({
  ...{ id, kind: 'model', source: `org/model-${id}`, state: 'downloading', file: 'model.safetensors' },
  ...{ doneBytes: 25, totalBytes: 100, bytesPerSecond: 5, failure: null, modelId: null, datasetId: null },
  ...change,
})

/** Losses 1, 2, ... nats; the second span is one character of two tokens. */
export function makeReading(text: string): Reading {
  const token = (id: number, part: string, loss: number | null): Reading['tokens'][number] => ({
    ...{ id, text: part, special: id === 1, loss, rank: loss === null ? null : id + 1 },
    next: [
      { id: 7, text: ' dog', probability: 0.5 },
      { id: 8, text: ' cat', probability: 0.25 },
    ],
  })
  return {
    tokens: [token(1, '', null), token(2, '⟨ED⟩⟨95⟩', 1), token(3, '⟨9C⟩', 4), token(4, text, 2)],
    spans: [
      { text: '', ids: [1], value: 0, special: true },
      { text: '한', ids: [2, 3], value: 4, special: false },
      { text, ids: [4], value: 2, special: false },
    ],
    ...{ meanLoss: 7 / 3, seconds: 0.1, readySeconds: 0 },
  }
}

export class FakeLmHost extends FakeHost {
  downloads: Download[] = []
  hubStatus: HubStatus = {
    ...{ isOffline: false, isOfflineByEnvironment: false, token: 'none', canKeepToken: true, cacheFolder: '/cache' },
  }
  keptToken: string | null = null
  /** Events of a generation so far; more come with `write`. */
  generated: Generated[] = []
  isGenerated = false
  /** Whether the page has stopped listening to a generation. */
  stopped = 0
  /** Holds answers of `lm.read` and `datasets.preview` back until it is resolved. */
  gate: Promise<void> = Promise.resolve()
  /** Text of every document; a short one with its number unless set. */
  documentText: string | null = null
  count: Omit<TokenCount, 'modelId'> = { tokens: 1234, isExact: false }

  /** Tells the page more of a generation; with `isLast` it ends. */
  write(events: Generated[], isLast = false): void {
    this.generated.push(...events)
    this.isGenerated = isLast
    this.change()
  }

  setDownloads(next: Download[]): void {
    this.downloads = next
    this.change()
  }

  protected override handlers() {
    return { ...super.handlers(), ...this.textHandlers(), ...this.hubHandlers(), ...this.lmHandlers() }
  }

  private textHandlers() {
    return {
      'datasets.preview': async ({ first, count }: { first: number; count: number }) => {
        await this.gate
        return Array.from({ length: count }, (_, at) => ({
          ...{ index: first + at, text: this.documentText ?? `document ${first + at}`, characters: 5000 },
        }))
      },
      'datasets.countTokens': ({ datasetId, modelId }: { datasetId: number; modelId: number }) =>
        later(() => {
          const count = { modelId, ...this.count }
          this.datasets = this.datasets.map((one) =>
            one.id === datasetId ? { ...one, tokenCounts: [...one.tokenCounts, count] } : one,
          )
          return count
        }),
    }
  }

  private hubHandlers() {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- a generator has no `this` of its own
    const host = this
    return {
      'hub.status': () => later(() => this.hubStatus),
      'hub.setOffline': ({ offline }: { offline: boolean }) =>
        later(() => (this.hubStatus = { ...this.hubStatus, isOffline: offline })),
      'hub.setToken': ({ token }: { token: string | null }) =>
        later(() => {
          this.keptToken = token
          return (this.hubStatus = { ...this.hubStatus, token: token === null ? 'none' : 'keychain' })
        }),
      'downloads.start': ({ kind, source }: Pick<Download, 'kind' | 'source'>) =>
        later(() => {
          const id = Math.max(0, ...this.downloads.map((one) => one.id)) + 1
          const download = makeDownload(id, { kind, source, state: 'listing', totalBytes: null, doneBytes: 0 })
          this.setDownloads([download, ...this.downloads])
          return download
        }),
      'downloads.cancel': ({ downloadId }: { downloadId: number }) =>
        later(() => {
          this.setDownloads(
            this.downloads.map((one) => (one.id === downloadId ? { ...one, state: 'cancelled' as const } : one)),
          )
          return null
        }),
      'downloads.dismiss': ({ downloadId }: { downloadId: number }) =>
        later(() => {
          this.setDownloads(this.downloads.filter((one) => one.id !== downloadId))
          return null
        }),
      'downloads.watch': async function* (_input: never, signal: AbortSignal) {
        while (!signal.aborted) {
          yield host.downloads
          await new Promise<void>((wake) => host.waiting.add(wake))
        }
      },
    }
  }

  private lmHandlers() {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- a generator has no `this` of its own
    const host = this
    return {
      'lm.read': async ({ text }: { text: string }) => {
        await this.gate
        return makeReading(text)
      },
      'lm.chatText': ({ messages }: { messages: ChatMessage[] }) =>
        later(() => ({ text: messages.map(({ role, content }) => `<${role}>${content}`).join('') })),
      'lm.generate': async function* (_input: never, signal: AbortSignal) {
        let told = 0
        const onStop = () => {
          host.stopped++
          host.change()
        }
        signal.addEventListener('abort', onStop)
        for (;;) {
          if (signal.aborted) throw new AppError('cancelled')
          while (told < host.generated.length) yield host.generated[told++]
          if (host.isGenerated) {
            signal.removeEventListener('abort', onStop)
            return
          }
          await new Promise<void>((wake) => host.waiting.add(wake))
        }
      },
    }
  }
}
