/** Names of repositories on the hub as people write them, checked before they become part of an address or a path. */
import { AppError } from '../../shared/errors'

export type RepoKind = 'model' | 'dataset'

/** A repository and the revision that was asked for; null stands for the main one. */
export type RepoSource = { name: string; revision: string | null }

const SHAPE = /^(?:hub:)?(?<name>[^@\s]+)(?:@(?<revision>\S+))?$/
const PART = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?$/
const REVISION = /^[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}$/

/** The hub forbids both, and the cache separates with the first. */
const isPart = (part: string): boolean => PART.test(part) && !part.includes('--') && !part.includes('..')
const isRevision = (revision: string): boolean =>
  REVISION.test(revision) && revision.split('/').every((part) => !part.startsWith('.') && !/^$|\.\.|\.$/.test(part))

/**
 * Reads `hub:org/name`, `org/name` or either with `@revision`.
 * @throws AppError `hub-source-invalid`
 */
export function parseSource(text: string): RepoSource {
  const { name = '', revision } = SHAPE.exec(text.trim())?.groups ?? {}
  const parts = name.split('/')
  const isSource = parts.length === 2 && parts.every(isPart) && (revision === undefined || isRevision(revision))
  if (!isSource) throw new AppError('hub-source-invalid', { source: text })
  return { name, revision: revision ?? null }
}

/** Whether a word of the command line names a repository rather than a file. */
export const isHubSource = (text: string): boolean => text.startsWith('hub:')

export const sourceText = ({ name, revision }: RepoSource): string => (revision === null ? name : `${name}@${revision}`)

/** A path inside a repository that stays there on every system. */
export const isInsidePath = (path: string): boolean =>
  path.length > 0 &&
  path.length <= 1000 &&
  // eslint-disable-next-line no-control-regex -- control characters are just what must not be there
  !/[\u0000-\u001f\\:*?"<>|]/.test(path) &&
  path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
