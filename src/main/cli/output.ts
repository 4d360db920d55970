/** What the command line prints: results on stdout (one JSON object a line with --json), everything else on stderr. */
import { AppError, errorSentence, toFailure, type Language } from '../../shared/errors'

export type Output = {
  json: boolean
  language: Language
  /** A result: the object with --json, else the lines for people. */
  result(object: unknown, lines: string | string[]): void
  /** Progress: rewritten in place on a terminal, else a plain line every few seconds. */
  progress(line: string): void
  /** One line that stays. */
  note(line: string): void
  failure(error: unknown): void
}

const PLAIN_LINE_EVERY_MS = 5000

/** Typed arrays become plain arrays, so that the JSON is what other programs expect. */
const plain = (_key: string, value: unknown): unknown =>
  value instanceof Float32Array || value instanceof Int32Array ? Array.from(value) : value

export function createOutput(json: boolean, language: Language): Output {
  const isTerminal = process.stderr.isTTY
  let lastLineAt = 0
  let isLineOpen = false
  const closeLine = () => {
    if (isLineOpen) process.stderr.write('\n')
    isLineOpen = false
  }
  const write = (text: string) => void process.stdout.write(`${text}\n`)
  return {
    json,
    language,
    result: (object, lines) => {
      closeLine()
      if (json) write(JSON.stringify(object, plain))
      else for (const line of Array.isArray(lines) ? lines : [lines]) write(line)
    },
    progress: (line) => {
      if (isTerminal) {
        process.stderr.write(`\r\x1b[2K${line}`)
        isLineOpen = true
      } else if (Date.now() - lastLineAt >= PLAIN_LINE_EVERY_MS) {
        lastLineAt = Date.now()
        process.stderr.write(`${line}\n`)
      }
    },
    note: (line) => {
      closeLine()
      process.stderr.write(`${line}\n`)
    },
    failure: (error) => {
      closeLine()
      const failure = toFailure(error)
      const message = errorSentence(failure.code, failure.details, language)
      if (json) write(JSON.stringify({ error: { code: failure.code, message, details: failure.details } }))
      else process.stderr.write(`${message}\n`)
      if (!(error instanceof AppError) && process.env.MONOSCOPE_DEBUG)
        process.stderr.write(`${String((error as Error).stack)}\n`)
    },
  }
}

/** Columns padded to the widest cell; numbers are given as text already. */
export function table(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
