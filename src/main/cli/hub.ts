/** `hub`: whether downloads may be made, and following one to its end; Ctrl-C stops it and keeps what has arrived. */
import { Argument, type Command } from 'commander'
import type { DownloadRequest, HubStatus } from '../../shared/contract/hub'
import type { Dataset, Download, Model } from '../../shared/domain'
import { AppError, fromFailure } from '../../shared/errors'
import { sizeText } from '../hub/sizes'
import type { Output } from './output'
import type { RunCommand } from './run-command'
import type { Session } from './session'
import type { TextStart } from '../../shared/text-start'

const hasEnded = ({ state }: Download): boolean => state === 'done' || state === 'failed' || state === 'cancelled'

function line(out: Output, { source, state, file, doneBytes, totalBytes, bytesPerSecond }: Download): string {
  if (state === 'checking') return out.say('checking', { source })
  if (totalBytes === null) return out.say('listing', { source })
  const speed = bytesPerSecond === null ? '-' : sizeText(bytesPerSecond)
  const sizes = { done: sizeText(doneBytes), total: sizeText(totalBytes) }
  return out.say('downloading', { source, file: file ?? '', speed, ...sizes })
}

/** The last state of a download, with progress until then. */
function watch({ client, out }: Session, downloadId: number): Promise<Download> {
  return new Promise((resolve, reject) => {
    const stop = client.feed(
      'downloads.watch',
      {},
      (downloads) => {
        const download = downloads.find(({ id }) => id === downloadId)
        if (!download) return
        const isLast = hasEnded(download)
        out.progress(line(out, download), download.doneBytes / (download.totalBytes ?? 0), isLast)
        if (!isLast) return
        stop()
        resolve(download)
      },
      (error) => reject(error ?? new AppError('connection-lost')),
    )
  })
}

/**
 * Downloads something into the library and waits until it is there.
 * @returns its last state: done, or cancelled after Ctrl-C
 * @throws AppError the failure of the download
 */
export async function download(session: Session, request: DownloadRequest): Promise<Download> {
  const { client, out, signal } = session
  const { id: downloadId } = await client.call('downloads.start', request, signal)
  const onAbort = () => {
    out.note(out.say('stoppingDownload'))
    client.call('downloads.cancel', { downloadId }).catch(() => undefined)
  }
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort)
  try {
    const ended = await watch(session, downloadId)
    if (ended.failure) throw fromFailure(ended.failure)
    return ended
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/**
 * Null after Ctrl-C.
 * @throws AppError as {@link download}
 */
export async function downloadModel(
  session: Session,
  { source, name, textStart }: { source: string; name?: string | undefined; textStart?: TextStart | undefined },
): Promise<Model | null> {
  const { modelId, state } = await download(session, { kind: 'model', source, name })
  if (state === 'cancelled') return null
  const models = await session.client.call('models.list', {})
  const model = models.find(({ id }) => id === modelId)
  if (!model) throw new AppError('not-found', { what: 'model', id: modelId ?? 0 })
  return textStart === undefined ? model : session.client.call('models.setTextStart', { modelId: model.id, textStart })
}

type RowOptions = { name?: string | undefined; config?: string; split?: string; rows?: string; textField?: string }

/**
 * Null after Ctrl-C.
 * @throws AppError as {@link download}, `invalid-input`
 */
export async function downloadDataset(session: Session, source: string, options: RowOptions): Promise<Dataset | null> {
  const { name, config = 'default', split = 'train', textField = 'text' } = options
  const rows = { config, split, textField, ...rowRange(options.rows) }
  const { datasetId, state } = await download(session, { kind: 'dataset', source, name, rows })
  if (state === 'cancelled') return null
  const datasets = await session.client.call('datasets.list', {})
  const dataset = datasets.find(({ id }) => id === datasetId)
  if (!dataset) throw new AppError('not-found', { what: 'dataset', id: datasetId ?? 0 })
  return dataset
}

/**
 * Reads `first..end`, the end not included.
 * @throws AppError `invalid-input`
 */
export function rowRange(text = '0..10000'): { firstRow: number; rows: number } {
  const [, first, end] = /^(\d{1,12})\.\.(\d{1,12})$/.exec(text.replaceAll(/[_,]/g, '')) ?? []
  const [firstRow, rows] = [Number(first), Number(end) - Number(first)]
  if (!(rows > 0)) throw new AppError('invalid-input', { name: '--rows', reason: `"${text}" is not first..end` })
  return { firstRow, rows }
}

function statusLines(out: Output, status: HubStatus): string[] {
  const { isOffline, isOfflineByEnvironment, token, cacheFolder } = status
  const net = isOffline ? (isOfflineByEnvironment ? 'hubOfflineByEnvironment' : 'hubOffline') : 'hubOnline'
  const origin = { none: 'tokenNone', environment: 'tokenEnvironment', keychain: 'tokenKeychain' } as const
  return [out.say(net), out.say(origin[token]), out.say('hubCache', { path: cacheFolder })]
}

export function addHubCommands(program: Command, run: RunCommand): void {
  const hub = program.command('hub').description('downloads of models and datasets')
  hub
    .command('status')
    .description('whether downloads may be made, where the token comes from, and where files go')
    .action(() =>
      run(async ({ client, out }) => {
        const status = await client.call('hub.status', {})
        out.result(status, statusLines(out, status))
      }),
    )
  hub
    .command('offline')
    .description('forbid or allow downloads in this workspace')
    .addArgument(new Argument('<switch>').choices(['on', 'off']))
    .action((given: string) =>
      run(async ({ client, out }) => {
        const status = await client.call('hub.setOffline', { offline: given === 'on' })
        out.result(status, statusLines(out, status))
      }),
    )
}
