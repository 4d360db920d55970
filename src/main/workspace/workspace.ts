/** A workspace folder: its tree, its lock and where each thing in it lies. */
import { accessSync, constants, mkdirSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { AppError } from '../../shared/errors'
import { takeLock, type Endpoint } from './lock'
import { translateSystemError } from './system-errors'

/** Folders that jobs and answers write to; what a kill left behind in them is swept at the start. */
export const WRITTEN_FOLDERS = ['activations', 'runs', 'saes', 'corpora', 'exports', 'models'] as const
const SUBFOLDERS = [...WRITTEN_FOLDERS, 'backups']

/** Where each thing of a workspace lies, absolute. */
export type WorkspacePaths = {
  name: string
  folder: string
  database: string
  log: string
  backups: string
  exports: string
  /** Texts that were downloaded, one JSONL file per choice of rows. */
  corpora: string
  /** Copies of bundled demos. */
  demos: string
  /** Token pieces of models, `<sha256>.safetensors`. */
  pieces: string
  /** Shards of one set of activations. */
  activations(activationsId: number): string
  run(runId: number): string
  /** Folder of what belongs to one autoencoder beside its weights. */
  sae(saeId: number): string
}

export type Workspace = WorkspacePaths & {
  /** Gives the lock back; the folder may be opened by others after that. */
  release(): void
}

export function workspacePaths(path: string): WorkspacePaths {
  const folder = resolve(path)
  return {
    name: basename(folder) || folder,
    folder,
    database: join(folder, 'workspace.sqlite'),
    log: join(folder, 'monoscope.log'),
    backups: join(folder, 'backups'),
    exports: join(folder, 'exports'),
    corpora: join(folder, 'corpora'),
    demos: join(folder, 'demo'),
    pieces: join(folder, 'models'),
    activations: (activationsId) => join(folder, 'activations', String(activationsId)),
    run: (runId) => join(folder, 'runs', String(runId)),
    sae: (saeId) => join(folder, 'saes', String(saeId)),
  }
}

/**
 * Makes what is missing of the folder tree and takes the lock.
 * @param endpoint where this process answers those who find the lock
 * @throws AppError `workspace-open` when another process owns it and answers, `workspace-busy`, `workspace-unwritable`, `disk-full`
 */
export async function openWorkspace(path: string, endpoint: Endpoint): Promise<Workspace> {
  const paths = workspacePaths(path)
  const { folder } = paths
  try {
    // A workspace may hold unpublished text and models: made for its owner alone. One that is there keeps what it was given.
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    for (const name of SUBFOLDERS) mkdirSync(join(folder, name), { recursive: true, mode: 0o700 })
    accessSync(folder, constants.W_OK)
    const lock = await takeLock(folder, endpoint)
    if (!lock.taken) throw new AppError('workspace-open', { path: folder, pid: lock.owner.pid })
    return { ...paths, release: lock.release }
  } catch (error) {
    throw refusal(error, folder)
  }
}

function refusal(error: unknown, folder: string): unknown {
  const translated = translateSystemError(error, folder)
  if (translated instanceof AppError || !(error instanceof Error) || !('code' in error)) return translated
  return new AppError('workspace-unwritable', { path: folder, reason: String(error.code) }, { cause: error })
}
