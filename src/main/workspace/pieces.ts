/** Token pieces of the models of a workspace, read once and kept in memory. */
import { join } from 'node:path'
import { readPieces } from '../files/pieces-file'
import type { TokenPieces } from '../../shared/token-spans'

export class PiecesCache {
  private readonly known = new Map<string, Promise<TokenPieces>>()

  constructor(private readonly folder: string) {}

  /**
   * @param sha256 of the model's weights
   * @throws AppError `file-missing`, `file-corrupt`
   */
  of(sha256: string): Promise<TokenPieces> {
    const known = this.known.get(sha256)
    if (known) return known
    const reading = readPieces(join(this.folder, `${sha256}.safetensors`))
    this.known.set(sha256, reading)
    // A failed reading is not remembered: the file may be put back.
    reading.catch(() => this.known.delete(sha256))
    return reading
  }
}
