/** Documents of a Parquet file: the text column, page by page; rows without a text are skipped. */
import { localParquet, planRows, readTexts } from '../parquet'

/** @throws AppError file-missing, file-unreadable, dataset-column-missing, dataset-row-invalid */
export async function* readParquet(
  { path, bytes }: { path: string; bytes: number },
  field: string,
): AsyncGenerator<string> {
  const { parts } = await planRows(localParquet(path, bytes), field, [0, Number.MAX_SAFE_INTEGER])
  for (const part of parts) for await (const texts of readTexts(part)) yield* texts
}
