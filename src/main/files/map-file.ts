/**
 * The file a map of features comes in: one safetensors file.
 *
 * | tensor     | type | shape  | meaning                                             |
 * | ---------- | ---- | ------ | --------------------------------------------------- |
 * | `feature`  | I32  | [N]    | the features that are on the map, ascending         |
 * | `position` | F32  | [N, 2] | x and y of each                                     |
 * | `cluster`  | I32  | [N]    | community of each, numbered from the largest down   |
 *
 * The header's `__metadata__` holds `format`, and `parameters` as JSON.
 */
import { AppError } from '../../shared/errors'
import { MapParameters } from '../../shared/feature-map'
import { openSafetensors, writeSafetensors } from './safetensors'

const FORMAT = 'monoscope-map-1'

export type MapColumns = {
  parameters: MapParameters
  /** [N], [N, 2], [N] */
  features: Int32Array<ArrayBuffer>
  positions: Float32Array<ArrayBuffer>
  clusters: Int32Array<ArrayBuffer>
}

/** Writes under a temporary name and renames. @throws AppError disk-full, workspace-unwritable */
export async function writeMap(path: string, { parameters, features, positions, clusters }: MapColumns): Promise<void> {
  const n = features.length
  await writeSafetensors(
    path,
    {
      feature: { dtype: 'I32', shape: [n], data: features },
      position: { dtype: 'F32', shape: [n, 2], data: positions },
      cluster: { dtype: 'I32', shape: [n], data: clusters },
    },
    { format: FORMAT, parameters: JSON.stringify(parameters) },
  )
}

function parametersOf(text: string | undefined): MapParameters | null {
  try {
    return MapParameters.parse(JSON.parse(text ?? ''))
  } catch {
    return null
  }
}

/** @throws AppError file-missing, file-truncated, file-corrupt */
export async function readMap(path: string): Promise<MapColumns> {
  const corrupt = (reason: string) => new AppError('file-corrupt', { path, format: 'Monoscope map', reason })
  const file = await openSafetensors(path)
  try {
    if (file.metadata.format !== FORMAT) throw corrupt(`format ${file.metadata.format ?? 'unknown'}`)
    const parameters = parametersOf(file.metadata.parameters)
    if (!parameters) throw corrupt('its parameters are none')
    const read = async (name: string) => {
      if (!file.tensors.has(name)) throw corrupt(`tensor ${name} is missing`)
      return (await file.read(name)).data
    }
    const [features, positions, clusters] = [await read('feature'), await read('position'), await read('cluster')]
    const isWhole =
      features instanceof Int32Array && positions instanceof Float32Array && clusters instanceof Int32Array
    if (!isWhole) throw corrupt('a tensor has another element type')
    if (positions.length !== 2 * features.length || clusters.length !== features.length) {
      throw corrupt('its tensors do not fit each other')
    }
    return { parameters, features, positions, clusters }
  } finally {
    await file.close()
  }
}
