/** Documents of a Parquet file: the text column, row group by row group; rows without a text are skipped. */
import { stat } from 'node:fs/promises'
import { localParquet, planRows, readTexts } from '../parquet'
import { readError } from '../safetensors'

/** @throws AppError file-missing, file-unreadable, dataset-column-missing, dataset-row-invalid */
export async function* readParquet(path: string, field: string): AsyncGenerator<string> {
  const { size } = await stat(path).catch((error: unknown) => {
    throw readError(error, path)
  })
  const { parts } = await planRows(localParquet(path, size), field, [0, Number.MAX_SAFE_INTEGER])
  for (const part of parts) yield* await readTexts(part, field)
}
