/** What the bench of language models asks its measuring processes for. */
export type LmJob = {
  what: 'capture' | 'generate'
  backend: string
  /** Model folder; its middle hook and width. */
  folder: string
  hookName: string
  /** Blocks up to the hook, which are all that capture needs. */
  blocks: number
  dModel: number
  vocabulary: number
  /** The built worker, whose script also serves threads. */
  entry: string
  threads?: number
  batch: number
  context: number
  rounds: number
  /** Tokens to generate. */
  newTokens: number
}
