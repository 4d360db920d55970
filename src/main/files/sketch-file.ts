/**
 * Parts of an atlas that is not finished: the arrays of a sketch, byte for byte, in a safetensors file. Only the program that wrote
 * one reads it again, after a job was cut off.
 */
import { AppError } from '../../shared/errors'
import { bytesOf } from './element-types'
import { openSafetensors, writeSafetensors } from './safetensors'
import type { TensorToWrite } from './safetensors'

export type SketchArrays = Record<string, ArrayBufferView<ArrayBuffer>>

/** @param facts what the sketch is of; @throws AppError disk-full, workspace-unwritable */
export async function writeSketch(path: string, arrays: SketchArrays, facts: Record<string, string>): Promise<void> {
  const tensors: Record<string, TensorToWrite> = {}
  for (const [name, array] of Object.entries(arrays)) {
    const data = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
    tensors[name] = { dtype: 'U8', shape: [data.length], data }
  }
  await writeSafetensors(path, tensors, facts)
}

/**
 * Fills the arrays from a file.
 * @returns false, with nothing to be relied on in the arrays, when there is none of just these facts and sizes
 */
export async function readSketch(path: string, arrays: SketchArrays, facts: Record<string, string>): Promise<boolean> {
  try {
    const file = await openSafetensors(path)
    try {
      const isSame = Object.entries(facts).every(([key, value]) => file.metadata[key] === value)
      if (!isSame) return false
      for (const [name, array] of Object.entries(arrays)) {
        const { data } = await file.read(name)
        if (!(data instanceof Uint8Array) || data.length !== array.byteLength) return false
        bytesOf(array).set(data)
      }
      return true
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof AppError) return false
    throw error
  }
}
