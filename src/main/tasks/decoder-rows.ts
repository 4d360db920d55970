/** Single rows of decoders and the angles between them, in float64. */
import { openDecoder } from '../files/saelens'
import type { DecoderFile } from '../files/saelens'

/** Shorter decoder rows have no direction. */
export const SMALLEST_NORM = 1e-12

/** x . y and ||y|| in float64, y being row `at` of `rows` [n, dIn]. */
export function productOf(x: Float64Array, rows: Float32Array, at: number): { product: number; norm: number } {
  let [product, squares] = [0, 0]
  for (let j = 0, place = at * x.length; j < x.length; j++, place++) {
    const y = rows[place] ?? 0
    product += (x[j] ?? 0) * y
    squares += y * y
  }
  return { product, norm: Math.sqrt(squares) }
}

/** A decoder row [dIn] of length 1, or null where it points nowhere. */
export async function unitRow(file: DecoderFile, index: number): Promise<Float64Array | null> {
  const row = Float64Array.from(await file.rows(index, 1))
  const norm = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0))
  return norm > SMALLEST_NORM ? row.map((x) => x / norm) : null
}

/** A feature of an autoencoder's folder. */
export type FeatureOf = { path: string; featureIndex: number }

async function unitRowOf({ path, featureIndex }: FeatureOf): Promise<Float64Array | null> {
  const file = await openDecoder(path)
  try {
    return await unitRow(file, featureIndex)
  } finally {
    await file.close()
  }
}

/**
 * Between the decoder rows of two features of equally wide autoencoders; null where one of them points nowhere.
 * @throws AppError sae-invalid for a folder that cannot be read
 */
export async function decoderCosine(one: FeatureOf, other: FeatureOf): Promise<number | null> {
  const [x, y] = [await unitRowOf(one), await unitRowOf(other)]
  return x && y && x.reduce((sum, value, j) => sum + value * (y[j] ?? 0), 0)
}
