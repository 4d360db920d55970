/** Token ids of the corpora of a workspace; the files of a few are kept open. */
import { join } from 'node:path'
import { CorpusTokens, tokensFileName } from '../files/corpus-tokens'
import type { TokensSource } from '../files/corpus-tokens'

const KEPT_OPEN = 4

export class CorpusTokensCache {
  /** By path; the one used last comes last. */
  private readonly open = new Map<string, CorpusTokens>()

  constructor(private readonly folder: string) {}

  /** Where the ids of a corpus lie. */
  pathOf(source: TokensSource): string {
    return join(this.folder, tokensFileName(source))
  }

  /** @throws AppError file-missing, file-unreadable, file-truncated, file-corrupt */
  of(source: TokensSource): CorpusTokens {
    const path = this.pathOf(source)
    const found = this.open.get(path) ?? CorpusTokens.open(path)
    this.open.delete(path)
    this.open.set(path, found)
    for (const [other, tokens] of this.open) {
      if (this.open.size <= KEPT_OPEN) break
      tokens.close()
      this.open.delete(other)
    }
    return found
  }

  close(): void {
    for (const tokens of this.open.values()) tokens.close()
    this.open.clear()
  }
}
