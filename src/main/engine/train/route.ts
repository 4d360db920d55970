/** A way of making training steps: dense tfjs operations, or sparse kernels. Both hold parameters and moments and give equal results. */
import type { RouteName } from '../../../shared/training'
import type { BatchFigures, SaeWeights, StepSettings } from '../sae/architecture'

/** How a gradient moves the parameters. */
export type UpdateSettings = {
  learningRate: number
  /** Largest joint norm of the gradient; null for no clipping. */
  clipNorm: number | null
  /** Number of this update from 1, for Adam's bias correction. */
  update: number
  /** Scale decoder rows to norm 1 afterwards. */
  unitDecoder: boolean
  /** Looks at the figures before anything is changed, and throws when they make no sense. */
  check(figures: BatchFigures): void
}

/** Everything that training changes, as plain arrays in the shapes of `Architecture.shapes`. */
export type RouteState = { parameters: SaeWeights; first: SaeWeights; second: SaeWeights }

export type StepFigures = BatchFigures & { gradientNorm: number }

/** The sparse route gives up on a batch, before anything is changed, when too many features are active. */
export const TOO_DENSE = 'too dense'

export type Route = {
  readonly name: RouteName
  /** One update from a batch [batch, dIn] of normalised activations. */
  step(batch: Float32Array, settings: StepSettings, update: UpdateSettings): StepFigures | typeof TOO_DENSE
  /** Figures and gradients without an update. */
  gradients(
    batch: Float32Array,
    settings: StepSettings,
  ): { figures: BatchFigures; gradients: SaeWeights } | typeof TOO_DENSE
  /** Copies. */
  parameters(): SaeWeights
  state(): RouteState
  /** Takes over a state, copying it. */
  restore(state: RouteState): void
  dispose(): void
}
