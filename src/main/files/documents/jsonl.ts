/** Documents of a JSONL file: one JSON object a line, the text in one of its fields. Empty lines are skipped. */
import { AppError } from '../../../shared/errors'
import { readLines } from '../lines'

function textOfLine(line: string, field: string): string | null {
  try {
    const parsed: unknown = JSON.parse(line)
    if (typeof parsed !== 'object' || parsed === null) return null
    const text: unknown = Object.entries(parsed).find(([key]) => key === field)?.[1]
    return typeof text === 'string' ? text : null
  } catch {
    // A line that is no JSON is reported by the caller with its number.
    return null
  }
}

/** @throws AppError file-missing, file-unreadable, dataset-binary, dataset-line-invalid */
export async function* readJsonl(path: string, field: string): AsyncGenerator<string> {
  for await (const { text: line, number } of readLines(path)) {
    if (line.trim() === '') continue
    const text = textOfLine(line, field)
    if (text === null) throw new AppError('dataset-line-invalid', { path, line: number, field })
    yield text
  }
}
