/** A hosted Parquet file, read by byte ranges. */
import { AppError } from '../../shared/errors'
import type { ParquetFile } from '../files/parquet'
import { drop, readBody, refusal, request, retrying, Transient, type HubAccess } from './http'

/** Bytes that are asked for at once: a request costs time, and what a page does not need is held in memory. */
const READ_BYTES = 8 * 1024 ** 2

/**
 * A hosted file whose parts are asked for one by one.
 * @param onBytes called with the bytes of every part that arrived
 */
export function hostedParquet(
  { access, signal, source }: { access: HubAccess; signal: AbortSignal; source: string },
  { path, url, bytes }: { path: string; url: string; bytes: number },
  onBytes: (bytes: number) => void,
): ParquetFile {
  const slice = (start: number, end: number): Promise<Uint8Array> =>
    retrying({ access, signal }, async () => {
      const headers = { range: `bytes=${start}-${end - 1}`, 'accept-encoding': 'identity' }
      const response = await request(access, url, { headers, signal })
      if (response.status === 200) {
        await drop(response)
        throw new AppError('hub-unreachable', { reason: 'the server does not send parts of files' })
      }
      if (response.status !== 206) throw refusal(response, { what: 'file', source, path })
      const part = await readBody(response, end - start)
      if (part.length !== end - start) throw new Transient('the connection ended early')
      onBytes(part.length)
      return part
    })
  return { path, bytes, slice, readBytes: READ_BYTES }
}
