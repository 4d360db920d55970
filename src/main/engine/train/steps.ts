/**
 * Training steps by the faster of two routes. Which one is a function of the architecture's settings and of the L0 that was measured,
 * never of a clock: the same run takes the same routes on every machine that has the kernels.
 */
import type { RouteName } from '../../../shared/training'
import type { Architecture, BatchFigures, SaeShape, SaeWeights, StepSettings } from '../sae/architecture'
import { DenseRoute } from './dense-route'
import { TOO_DENSE } from './route'
import type { Route, RouteState, StepFigures, UpdateSettings } from './route'

/** The sparse route takes over when L0 is below this share of what it can hold, so that it does not give up again at once. */
const TAKE_OVER_SHARE = 0.8

/** Opens the sparse route; null where it cannot work, with the reason known to who made this function. */
export type OpenSparse = (parameters: SaeWeights) => (Route & { mostActive: number }) | null

export type StepState = RouteState & { route: RouteName }

export class Steps {
  private current: Route
  private readonly dense: DenseRoute
  private readonly sparse: ReturnType<OpenSparse>

  constructor(architecture: Architecture, shape: SaeShape, parameters: SaeWeights, openSparse: OpenSparse) {
    this.dense = new DenseRoute(architecture, shape, parameters)
    this.sparse = openSparse(parameters)
    // A fixed k is known to be sparse before the first step.
    this.current = architecture.hasUnitDecoder && this.sparse ? this.sparse : this.dense
    this.freeDense()
  }

  get route(): RouteName {
    return this.current.name
  }

  step(batch: Float32Array, settings: StepSettings, update: UpdateSettings): StepFigures & { route: RouteName } {
    const figures = this.current.step(batch, settings, update)
    if (figures === TOO_DENSE) {
      this.moveTo(this.dense)
      return this.step(batch, settings, update)
    }
    const route = this.current.name
    const { sparse } = this
    if (sparse && route === 'dense' && figures.l0 <= TAKE_OVER_SHARE * sparse.mostActive) this.moveTo(sparse)
    return { ...figures, route }
  }

  /** Figures of a batch without an update. */
  look(batch: Float32Array, settings: StepSettings): BatchFigures {
    const found = this.current.gradients(batch, settings)
    if (found !== TOO_DENSE) return found.figures
    this.moveTo(this.dense)
    return this.dense.gradients(batch, settings).figures
  }

  /** Copies. */
  parameters(): SaeWeights {
    return this.current.parameters()
  }

  state(): StepState {
    return { ...this.current.state(), route: this.route }
  }

  /** Takes up a state; where the sparse route is not there, the dense one goes on in its place. */
  restore({ route, ...state }: StepState): void {
    this.current = route === 'sparse' && this.sparse ? this.sparse : this.dense
    this.current.restore(state)
    this.freeDense()
  }

  dispose(): void {
    this.dense.dispose()
    this.sparse?.dispose()
  }

  private moveTo(route: Route): void {
    route.restore(this.current.state())
    this.current = route
    this.freeDense()
  }

  /** Its parameters and moments are not kept while the other route holds them. */
  private freeDense(): void {
    if (this.current !== this.dense) this.dense.dispose()
  }
}
