/** What the command line prints: results to stdout, progress and notes to stderr. */
import { errorSentence, toFailure, type Language } from '../../shared/errors'
import { forTerminal } from '../../shared/plain-text'
import { LONG_READY_SECONDS, type Took } from '../../shared/took'
import { sayOnStderr } from '../log'
import { text, type TextName } from './texts'

const PLAIN_EVERY_MS = 3000
const LINE_EVERY_MS = 100
const BAR_CELLS = 20

export class Output {
  private lastAt = 0
  private hasLine = false

  constructor(
    /** Results are for programs. */
    readonly isJson: boolean,
    readonly language: Language,
  ) {}

  /** Whether someone sits at a terminal and reads words. */
  get isInteractive(): boolean {
    return !this.isJson && process.stdout.isTTY
  }

  say(name: TextName, values: Record<string, string | number> = {}): string {
    return text(this.language, name, values)
  }

  /** Seconds of an answer, and of the waiting before it where that was long. */
  took({ seconds, readySeconds }: Took): string {
    const values = { seconds: seconds.toFixed(2), ready: readySeconds.toFixed(1) }
    return this.say(readySeconds < LONG_READY_SECONDS ? 'took' : 'tookAfter', values)
  }

  /** One result: an object for programs, or lines for people. */
  result(value: unknown, lines: string | readonly string[]): void {
    this.endLine()
    const texts = typeof lines === 'string' ? [lines] : lines
    process.stdout.write(
      this.isJson ? `${JSON.stringify(value, plain)}\n` : texts.map((line) => `${forTerminal(line)}\n`).join(''),
    )
  }

  /** Text for people as it comes, without a line break of its own. */
  part(piece: string): void {
    this.endLine()
    process.stdout.write(forTerminal(piece))
  }

  /** A list: one object per line for programs; a sentence when there is nothing. */
  list<T>(values: readonly T[], line: (value: T) => string): void {
    for (const value of values) this.result(value, line(value))
    if (values.length === 0 && !this.isJson) this.result(null, this.say('none'))
  }

  note(line: string): void {
    this.endLine()
    sayOnStderr(forTerminal(line))
  }

  /** Where a job stands: a bar and one changing line on a terminal, otherwise a plain line every few seconds. */
  progress(line: string, share: number, isLast = false): void {
    const isLine = process.stderr.isTTY
    const at = performance.now()
    if (!isLast && at - this.lastAt < (isLine ? LINE_EVERY_MS : PLAIN_EVERY_MS)) return
    this.lastAt = at
    if (!isLine) return sayOnStderr(forTerminal(line))
    process.stderr.write(`\r\u001b[K${`${bar(share)} ${forTerminal(line)}`.slice(0, process.stderr.columns - 1)}`)
    this.hasLine = true
    if (isLast) this.endLine()
  }

  /** An error: the sentence for people, and an object on stdout for programs. */
  error(error: unknown): void {
    const { code, details } = toFailure(error)
    const message = errorSentence(code, details, this.language)
    if (this.isJson) this.result({ error: { code, message, details } }, message)
    else this.note(message)
  }

  private endLine(): void {
    if (this.hasLine) process.stderr.write('\n')
    this.hasLine = false
  }
}

/** A share of 1 as a bar of fixed width with its percentage. */
export function bar(share: number): string {
  const known = Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0))
  const filled = Math.round(known * BAR_CELLS)
  return `${'█'.repeat(filled)}${'░'.repeat(BAR_CELLS - filled)} ${String(Math.floor(known * 100)).padStart(3)} %`
}

/** Typed arrays as plain lists in JSON. */
function plain(_key: string, value: unknown): unknown {
  return value instanceof Float32Array || value instanceof Int32Array || value instanceof Uint8Array
    ? Array.from(value)
    : value
}
