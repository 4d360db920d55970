/** Opens a workspace and puts its rooms together: store, jobs and handlers, and the port where other processes ask. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { MonoscopeHandlers } from '../shared/contract'
import type { AppInfo } from '../shared/contract/app'
import { AppError } from '../shared/errors'
import { makeHandlers } from './handlers/handlers'
import type { ChoosePath } from './handlers/services'
import { Hub } from './hub/hub'
import type { TokenVault } from './hub/token'
import { Changes } from './jobs/changes'
import { JobQueue } from './jobs/queue'
import { sweepFolder } from './files/removal'
import { recoverRuns } from './jobs/recover'
import { findRuntime } from './jobs/runtime'
import { WarmWorker } from './jobs/warm-worker'
import { openLog, type Log } from './log'
import { openStore, type Store } from './store/store'
import { startHost, type Host } from './web/host'
import { CorpusTokensCache } from './workspace/corpus-tokens'
import { PiecesCache } from './workspace/pieces'
import { translateSystemError } from './workspace/system-errors'
import { openWorkspace, WRITTEN_FOLDERS, type Workspace } from './workspace/workspace'

export { findOwner, type Owner } from './workspace/lock'

const CHECKPOINT_MINUTES = 5
/** A copy of what people wrote is made this often while the workspace is open, and when it is closed. */
const COPY_EVERY_MS = 24 * 60 * 60_000

export type MonoscopeOptions = {
  /** The workspace. */
  folder: string
  /** The built worker entry, beside the entry of this process. */
  workerPath: string
  /** A Node shipped with the app, for hosts that are not Node themselves. */
  nodePath?: string
  /** The bundled demo; left out where there is none. */
  demoFolder?: string
  host: AppInfo['host']
  version: string
  /** Opens the system's dialog; left out where there is none. */
  choosePath?: ChoosePath
  /** Keeps the hub's access token; left out where there is no keychain. */
  tokenVault?: TokenVault
  checkpointMinutes?: number
}

export type Monoscope = {
  handlers: MonoscopeHandlers
  workspace: Workspace
  store: Store
  queue: JobQueue
  warm: WarmWorker
  changes: Changes
  log: Log
  /** For hosts: writes failures that no one expected into the log. */
  onUnexpected: (error: unknown, name: string) => void
  /** Commands of other processes that ask this one. */
  commands(): number
  /** Whether a job runs, a question is being answered or a file is being downloaded. */
  isBusy(): boolean
  /** Resolves when no command of another process asks this one any more. */
  commandsGone(): Promise<void>
  /** Ends jobs with a last checkpoint, closes the store and gives the workspace back. May be called twice. */
  close(): Promise<void>
}

type Late = { handlers: MonoscopeHandlers | null }

/**
 * Opens a workspace for this process.
 * @throws AppError `workspace-open`, `workspace-busy`, `workspace-unwritable`, `workspace-damaged`, `workspace-too-new`,
 *   `migration-failed`, `disk-full`
 */
export async function openMonoscope(options: MonoscopeOptions): Promise<Monoscope> {
  const late: Late = { handlers: null }
  const token = randomBytes(24).toString('base64url')
  // The port answers before the lock names it, so that nobody who reads the lock finds it closed.
  const host = await startHost({ handlers: lateHandlers(late), rendererFolder: null, token })
  try {
    const workspace = await openWorkspace(options.folder, host)
    try {
      return await openRooms(options, { host, workspace, late })
    } catch (error) {
      workspace.release()
      throw translateSystemError(error, workspace.database)
    }
  } catch (error) {
    await host.close()
    throw error
  }
}

/** Handlers that are there before the store is open; asked too early they say that nobody answers yet. */
function lateHandlers(late: Late): MonoscopeHandlers {
  const target: Partial<MonoscopeHandlers> = {}
  return new Proxy(target, {
    get: (_, name) => {
      if (!late.handlers) throw new AppError('connection-lost')
      return Reflect.get(late.handlers, name) as unknown
    },
    // serve() asks only for names of the contract, and all of them are in `late.handlers`.
  }) as MonoscopeHandlers
}

/** Copies what people wrote. A copy that fails is only logged: the database itself has everything. */
function copierOf(store: Store, onUnexpected: Monoscope['onUnexpected']): () => void {
  return () => {
    try {
      store.copyPeople()
    } catch (error) {
      onUnexpected(error, 'copy of what was written')
    }
  }
}

type Base = { host: Host; workspace: Workspace; late: Late }

async function openRooms(options: MonoscopeOptions, { host, workspace, late }: Base): Promise<Monoscope> {
  const log = openLog(workspace.log)
  const store = openStore({ path: workspace.database, backups: workspace.backups, folder: workspace.folder })
  const runtime = findRuntime(options.nodePath)
  const { workerPath, checkpointMinutes = CHECKPOINT_MINUTES } = options
  const changes = new Changes()
  const pieces = new PiecesCache(workspace.pieces)
  const tokens = new CorpusTokensCache(workspace.corpora)
  for (const name of WRITTEN_FOLDERS) await sweepFolder(join(workspace.folder, name))
  await recoverRuns(store, workspace, log)
  const queue = new JobQueue({ store, paths: workspace, pieces, changes, log, workerPath, runtime, checkpointMinutes })
  const warm = new WarmWorker({ command: { workerPath, runtime, log }, changes })
  const { version, choosePath = null, tokenVault: vault = null, demoFolder = null } = options
  const onUnexpected = (error: unknown, name: string) =>
    log.error({ name, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'unexpected')
  store.atlases.dropHidden().catch((error: unknown) => onUnexpected(error, 'dropping atlases'))
  const hub = new Hub({
    ...{ env: process.env, settings: store.settings, vault, corpora: workspace.corpora },
    onUnexpected: (error) => onUnexpected(error, 'download'),
  })
  const rooms = { store, queue, warm, changes, pieces, tokens, hub }
  const handlers = makeHandlers({ version, host: options.host, paths: workspace, ...rooms, choosePath, demoFolder })
  late.handlers = handlers
  const copyPeople = copierOf(store, onUnexpected)
  const copying = setInterval(copyPeople, COPY_EVERY_MS).unref()
  log.info({ version, host: options.host, runtime: runtime.path }, 'open')
  let closing: Promise<void> | null = null
  const close = async () => {
    await Promise.all([queue.close(), hub.close(), warm.close()])
    late.handlers = null
    tokens.close()
    clearInterval(copying)
    copyPeople()
    store.close()
    // A closed port with the lock still there would look like a dead owner.
    workspace.release()
    await host.close()
    log.info('closed')
  }
  return {
    handlers,
    workspace,
    store,
    queue,
    warm,
    changes,
    log,
    onUnexpected,
    commands: () => host.commands(),
    isBusy: () => queue.isBusy || warm.isBusy || hub.downloads.isBusy,
    commandsGone: () => host.commandsGone(),
    close: () => (closing ??= close()),
  }
}
