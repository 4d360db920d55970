/** Opens the two routes of training steps for tests. */
import { openKernels } from '../../src/main/engine/kernels/open'
import type { ArchitectureName, SaeShape, SaeWeights, StepSettings } from '../../src/main/engine/sae/architecture'
import { architectureOf } from '../../src/main/engine/sae/registry'
import { DenseRoute } from '../../src/main/engine/train/dense-route'
import type { Route } from '../../src/main/engine/train/route'
import type { TrainerConfig } from '../../src/main/engine/train/settings'
import type { BackendName } from '../../src/shared/domain'
import { TrainConfig } from '../../src/shared/training'

/** A whole configuration from what a test cares about. */
export function configOf(settings: Partial<TrainerConfig> & { architecture: ArchitectureName }): TrainerConfig {
  return TrainConfig.parse({
    ...{ modelId: 1, datasetId: 1, hookName: 'made-up', contextSize: 8, bufferTokens: 64, seed: 0, dSae: 32 },
    ...{ l1Coefficient: 1, learningRate: 1e-3, batchTokens: 64, trainingTokens: 64 * 100 },
    ...settings,
  })
}

export function denseRoute(name: ArchitectureName, weights: SaeWeights): Route {
  const [dIn = 0, dSae = 0] = weights.wEnc?.shape ?? []
  return new DenseRoute(architectureOf(name), { dIn, dSae }, weights)
}

export type SparseOptions = { backend: BackendName; threads: number; batchTokens: number }

/** The kernels, opened for steps of such settings. */
export function sparseRoute(
  name: ArchitectureName,
  weights: SaeWeights,
  settings: StepSettings,
  { backend, threads, batchTokens }: SparseOptions,
): Route {
  const [dIn = 0, dSae = 0] = weights.wEnc?.shape ?? []
  const shape: SaeShape = { dIn, dSae }
  const { k, auxK, auxCoefficient, widths } = settings
  const config = configOf({
    ...{ architecture: name, dSae, k, auxK: Math.max(auxK, 1), auxCoefficient, batchTokens },
    matryoshkaWidths: [...widths],
  })
  const { open } = openKernels({ architecture: architectureOf(name), dIn: shape.dIn, config, backend, threads })
  const route = open(weights)
  if (!route) throw new Error('the kernels did not open')
  return route
}
