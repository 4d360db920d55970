/** The features of one autoencoder whose decoder rows are most like a row of another; exact, one pass over the file, bounded memory. */
import { openDecoder, type DecoderFile } from '../files/saelens'
import { Largest } from '../engine/measure/largest'
import type { Requests } from '../jobs/messages'
import { AppError } from '../../shared/errors'
import { giveWay } from './channel'
import { productOf, SMALLEST_NORM, unitRow } from './decoder-rows'

/** Decoder rows that are held at once stay below this. */
const BLOCK_BYTES = 16 * 1024 * 1024

/** Offers every row of a decoder with its cosine, block by block. */
async function offerAll(x: Float64Array, among: DecoderFile, largest: Largest, signal: AbortSignal): Promise<void> {
  const most = Math.max(1, Math.floor(BLOCK_BYTES / (4 * among.dIn)))
  for (let first = 0; first < among.dSae && !signal.aborted; first += most) {
    const rows = await among.rows(first, most)
    for (let i = 0; i < rows.length / among.dIn; i++) {
      const { product, norm } = productOf(x, rows, i)
      // Rounded as it is kept, or equal ones would differ by what the rounding took.
      if (norm > SMALLEST_NORM) largest.offer(first + i, Math.fround(product / norm))
    }
    await giveWay()
  }
}

/**
 * The largest first, the lower number first among equals; none where the feature has no decoder row.
 * @throws AppError sae-invalid for a folder that cannot be read or a decoder of another width
 */
export async function nearestAcross(
  { of, among: path, count }: Requests['nearestAcross']['ask'],
  signal: AbortSignal,
): Promise<Requests['nearestAcross']['answer']> {
  const own = await openDecoder(of.path)
  try {
    const among = await openDecoder(path)
    try {
      if (among.dIn !== own.dIn) {
        throw new AppError('sae-invalid', {
          path,
          reason: `its decoder is ${among.dIn} wide, the other one ${own.dIn}`,
        })
      }
      const x = await unitRow(own, of.featureIndex)
      const largest = new Largest(count)
      if (x) await offerAll(x, among, largest, signal)
      return { indexes: largest.indexes().slice(), cosines: largest.values().slice() }
    } finally {
      await among.close()
    }
  } finally {
    await own.close()
  }
}
