/** Tensors of an open atlas file (atlas-file.ts), each refused where it is missing or another than the format says. */
import { AppError } from '../../shared/errors'
import type { SafetensorsFile } from './safetensors'

export class AtlasColumnReader {
  constructor(
    private readonly file: SafetensorsFile,
    private readonly path: string,
  ) {}

  corrupt(reason: string): AppError {
    return new AppError('file-corrupt', { path: this.path, format: 'Monoscope atlas', reason })
  }

  async f32(name: string, shape: number[]): Promise<Float32Array<ArrayBuffer>> {
    const data = await this.read(name, shape)
    if (!(data instanceof Float32Array)) throw this.wrongType(name)
    return this.finite(name, data)
  }

  async f64(name: string, shape: number[]): Promise<Float64Array<ArrayBuffer>> {
    const data = await this.read(name, shape)
    if (!(data instanceof Float64Array)) throw this.wrongType(name)
    return this.finite(name, data)
  }

  async i32(name: string, shape: number[]): Promise<Int32Array<ArrayBuffer>> {
    const data = await this.read(name, shape)
    if (!(data instanceof Int32Array)) throw this.wrongType(name)
    return data
  }

  async u8(name: string, shape: number[]): Promise<Uint8Array<ArrayBuffer>> {
    const data = await this.read(name, shape)
    if (!(data instanceof Uint8Array)) throw this.wrongType(name)
    return data
  }

  /** Whole numbers from 0 to below `limit`. */
  async places(name: string, shape: number[], limit = 2 ** 31): Promise<Int32Array<ArrayBuffer>> {
    const data = await this.i32(name, shape)
    if (!data.every((value) => value >= 0 && value < limit))
      throw this.corrupt(`tensor ${name} has places that do not exist`)
    return data
  }

  private finite<T extends Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>>(name: string, data: T): T {
    if (!data.every((value: number) => Number.isFinite(value))) {
      throw this.corrupt(`tensor ${name} has values that are no numbers`)
    }
    return data
  }

  private async read(name: string, shape: number[]) {
    const entry = this.file.tensors.get(name)
    if (entry?.shape.join() !== shape.join()) throw this.corrupt(`tensor ${name} is not of shape [${shape.join(', ')}]`)
    return (await this.file.read(name)).data
  }

  private wrongType(name: string): AppError {
    return this.corrupt(`tensor ${name} has another element type`)
  }
}
