/** Which commit a revision is and which files it has, asked from the hub's API and checked before anything relies on it. */
import { datasetInfo, listFiles, modelInfo } from '@huggingface/hub'
import { z } from 'zod'
import { AppError } from '../../shared/errors'
import { readBody, refusal, request, retrying, type Fetch, type HubAccess } from './http'
import { isInsidePath, sourceText, type RepoKind, type RepoSource } from './source'

const MAX_ANSWER_BYTES = 32 * 1024 ** 2
const MAX_ENTRIES = 100_000
const MAX_FILE_BYTES = 1e13

/** The hash that a file's content has: git's own, or sha256 for large files. */
export type ContentHash = { kind: 'git' | 'sha256'; hex: string }

export type RepoFile = { path: string; bytes: number; hash: ContentHash }

export const COMMIT = /^[0-9a-f]{40}$/
const Commit = z.string().regex(COMMIT)
const Bytes = z.int().min(0).max(MAX_FILE_BYTES)
const Entry = z.object({
  type: z.string(),
  path: z.string().max(10_000),
  size: Bytes,
  oid: z.string().regex(COMMIT),
  lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: Bytes }).optional(),
})

export type Asking = { access: HubAccess; signal: AbortSignal }

/** A fetch for the library's calls that throws our errors, tries again and never reads more than a fair answer. */
function apiFetch({ access, signal }: Asking, wanted: { what: string; source: string }): Fetch {
  return (input) => {
    const url = typeof input === 'string' ? input : input instanceof URL ? input.href : input.url
    return retrying({ access, signal }, async () => {
      const response = await request(access, url, { headers: { accept: 'application/json' }, signal })
      if (!response.ok) throw refusal(response, wanted)
      const link = response.headers.get('link')
      return new Response(await readBody(response, MAX_ANSWER_BYTES), { headers: link ? { link } : {} })
    })
  }
}

function unreadable(error: unknown): unknown {
  const isForm = error instanceof z.ZodError || error instanceof SyntaxError
  return isForm ? new AppError('hub-unreachable', { reason: 'the hub gave an answer that cannot be read' }) : error
}

/**
 * The commit that a revision is now.
 * @throws AppError `hub-not-found`, `hub-denied`, `hub-unreachable`, `cancelled`
 */
export async function findCommit(asking: Asking, kind: RepoKind, source: RepoSource): Promise<string> {
  const fetch = apiFetch(asking, { what: kind, source: sourceText(source) })
  const ask = {
    ...{ name: source.name, revision: source.revision ?? 'main', hubUrl: asking.access.url, fetch },
    additionalFields: ['sha' as const],
  }
  try {
    const { sha } = kind === 'model' ? await modelInfo(ask) : await datasetInfo(ask)
    return Commit.parse(sha)
  } catch (error) {
    throw unreadable(error)
  }
}

/**
 * The files of a commit; of the top folder only unless `recursive`.
 * @throws AppError as {@link findCommit}
 */
export async function listRepo(
  asking: Asking,
  repo: { kind: RepoKind; name: string; commit: string; recursive: boolean },
): Promise<RepoFile[]> {
  const { kind, name, commit, recursive } = repo
  const fetch = apiFetch(asking, { what: kind, source: name })
  const files: RepoFile[] = []
  let entries = 0
  try {
    const hubUrl = asking.access.url
    for await (const item of listFiles({ repo: { type: kind, name }, revision: commit, recursive, hubUrl, fetch })) {
      if (++entries > MAX_ENTRIES) {
        throw new AppError('hub-unreachable', { reason: `the repository has more than ${MAX_ENTRIES} files` })
      }
      if (item.type !== 'file') continue
      const { path, size, oid, lfs } = Entry.parse(item)
      const hash: ContentHash = lfs ? { kind: 'sha256', hex: lfs.oid } : { kind: 'git', hex: oid }
      // A name that some system does not take belongs to no model or dataset that we read.
      if (!isInsidePath(path)) continue
      files.push({ path, bytes: lfs?.size ?? size, hash })
    }
  } catch (error) {
    throw unreadable(error)
  }
  return files
}

/** Where the content of a file is: plain HTTP, also for files that Xet could deliver. */
export function resolveUrl(
  hubUrl: string,
  repo: { kind: RepoKind; name: string; commit: string },
  path: string,
): string {
  const folder = repo.kind === 'dataset' ? 'datasets/' : ''
  return `${hubUrl}/${folder}${repo.name}/resolve/${repo.commit}/${path.split('/').map(encodeURIComponent).join('/')}`
}
