/**
 * Documents of a JSONL file: one JSON object a line, the text in one of its fields. Empty lines are skipped, and lines whose field is null
 * or absent, as a row of a table may be, as long as some line has a text.
 */
import { AppError } from '../../../shared/errors'
import { readLines } from '../lines'

/** The text of a line; undefined where the object has none, null where the line is no such object. */
function textOfLine(line: string, field: string): string | undefined | null {
  try {
    const parsed: unknown = JSON.parse(line)
    if (typeof parsed !== 'object' || parsed === null) return null
    const text: unknown = Object.entries(parsed).find(([key]) => key === field)?.[1]
    if (text === undefined || text === null) return Array.isArray(parsed) ? null : undefined
    return typeof text === 'string' ? text : null
  } catch {
    // A line that is no JSON is reported by the caller with its number.
    return null
  }
}

/** @throws AppError file-missing, file-unreadable, dataset-binary, dataset-line-invalid */
export async function* readJsonl(path: string, field: string): AsyncGenerator<string> {
  let [texts, firstWithout] = [0, 0]
  for await (const { text: line, number } of readLines(path)) {
    if (line.trim() === '') continue
    const text = textOfLine(line, field)
    if (text === null) throw new AppError('dataset-line-invalid', { path, line: number, field })
    if (text === undefined) {
      firstWithout ||= number
      continue
    }
    texts += 1
    yield text
  }
  // A field that no line has is a wrong name.
  if (texts === 0 && firstWithout > 0) throw new AppError('dataset-line-invalid', { path, line: firstWithout, field })
}
