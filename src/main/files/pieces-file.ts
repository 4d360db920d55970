/** Token pieces of a tokenizer as one safetensors file, written by a worker and read wherever tokens are shown. */
import { AppError } from '../../shared/errors'
import type { TokenPieces } from '../../shared/token-spans'
import { openSafetensors, writeSafetensors } from './safetensors'

/**
 * Tensors `bytes` U8 [total], `offsets` I32 [vocabulary + 1], `special` U8 [vocabulary].
 * @throws AppError disk-full, workspace-unwritable
 */
export function writePieces(path: string, pieces: TokenPieces): Promise<void> {
  return writeSafetensors(path, {
    bytes: { dtype: 'U8', shape: [pieces.bytes.length], data: new Uint8Array(pieces.bytes) },
    offsets: { dtype: 'I32', shape: [pieces.offsets.length], data: new Int32Array(pieces.offsets) },
    special: { dtype: 'U8', shape: [pieces.special.length], data: new Uint8Array(pieces.special) },
  })
}

/** @throws AppError file-missing, file-unreadable, file-truncated, file-corrupt */
export async function readPieces(path: string): Promise<TokenPieces> {
  const file = await openSafetensors(path)
  try {
    const bytes = (await file.read('bytes')).data
    const offsets = (await file.read('offsets')).data
    const special = (await file.read('special')).data
    const corrupt = (reason: string) => new AppError('file-corrupt', { path, format: 'token pieces', reason })
    if (!(bytes instanceof Uint8Array && offsets instanceof Int32Array && special instanceof Uint8Array)) {
      throw corrupt('a tensor has the wrong type')
    }
    const rising = offsets.every((offset, i) => (i === 0 ? offset === 0 : offset >= (offsets[i - 1] ?? 0)))
    if (offsets.length !== special.length + 1 || !rising || offsets.at(-1) !== bytes.length) {
      throw corrupt('its offsets do not fit its bytes')
    }
    return { bytes, offsets, special }
  } finally {
    await file.close()
  }
}
