/** Measures for about two seconds how fast this machine does what a training consists of; see forecast.ts for what follows from it. */
import type { RouteName } from '../../../shared/training'
import { hasFixedK, widthsOf } from '../../../shared/training-rules'
import { openKernels } from '../kernels/open'
import type { KernelOptions } from '../kernels/open'
import { tf } from '../tf'
import { passWindows } from '../train/activations'
import type { ActivationSource } from '../train/activations'
import { windowCount } from '../train/contexts'
import type { Windows } from '../train/contexts'
import { toTensors } from '../train/dense-route'
import { Random } from '../train/random'
import { encodeSettings, stepSettings } from '../train/settings'
import type { TrainerConfig } from '../train/settings'
import { Steps } from '../train/steps'
import type { StepState } from '../train/steps'
import { dataOf } from '../train/weights'
import { BLOCK_ROWS, HeldOutJudge } from './held-out'
import type { Speeds } from './forecast'

const PASSES_MS = 900
/** For each kind of step, and for judging. */
const STEPS_MS = 250
/** How a kind of work is measured: on how many weights of an encoder, at most, and how many operations a weight and row make. */
type Work = { weights: number; flop: number }
/**
 * A wider dictionary is measured with fewer features and the time scaled up. All of a dense step grows with the width. Of a sparse one
 * only the encoder and Adam do, not what follows the active features, so there most dictionaries are measured whole.
 */
const DENSE: Work = { weights: 2 ** 21, flop: 12 }
const SPARSE: Work = { weights: 2 ** 23, flop: 2 }
const JUDGE: Work = { weights: 2 ** 21, flop: 4 }
/** Operations of one measured step: some tenths of a second. Larger batches are measured with fewer rows. */
const STEP_FLOP = 4e9
const FEWEST_ROWS = 16
/** Active features of a code that has become sparse. */
const SPARSE_L0 = 30
/** Normal numbers drawn; what is made up repeats them. */
const DRAWN = 2 ** 16
/** hiddenPre values that are sorted to find where to cut. */
const LOOKED_AT = 2 ** 18
/** Padded tokens of one measured pass. */
const PASS_TOKENS = 512
const PAD_MULTIPLE = 16

/** Normal numbers that repeat: millions are needed, and drawing each would take longer than the calibration may. */
class MadeUp extends Random {
  private readonly drawn: Float32Array
  private at = 0

  constructor() {
    const random = Random.fromSeed(1)
    super(random.state)
    this.drawn = Float32Array.from({ length: DRAWN }, () => random.normal())
  }

  override normal(): number {
    this.at = (this.at + 1) % DRAWN
    return this.drawn[this.at] ?? 0
  }
}

/** Median of some runs of `once`, until `ms` have passed; the first one warms up and counts only when there is time for no other. */
function medianMs(once: () => number, ms: number): number {
  const start = performance.now()
  const first = once()
  const times: number[] = []
  while (performance.now() - start < ms) times.push(once())
  times.sort((a, b) => a - b)
  return times[times.length >> 1] ?? first
}

function timed(work: () => void): number {
  const start = performance.now()
  work()
  return performance.now() - start
}

/** Text tokens and the padded length of the windows that one pass takes together, over a sample. */
function paddingOf(windows: Windows, { contextSize, bosId }: { contextSize: number; bosId: number | null }) {
  const order = Random.fromSeed(0).shuffle(Int32Array.from({ length: windowCount(windows) }, (_, w) => w))
  const together = passWindows(contextSize)
  let [text, padded, passes] = [0, 0, 0]
  for (let at = 0; at < order.length; at += together) {
    const lengths = Array.from(
      order.subarray(at, at + together),
      (w) => (windows.offsets[w + 1] ?? 0) - (windows.offsets[w] ?? 0),
    )
    text += lengths.reduce((sum, length) => sum + length - (bosId === null ? 0 : 1), 0)
    const time = Math.ceil(Math.max(...lengths) / PAD_MULTIPLE) * PAD_MULTIPLE
    padded += time * lengths.length
    passes += time
  }
  const groups = Math.max(1, Math.ceil(order.length / together))
  return { textShare: text / padded, time: Math.ceil(passes / groups / PAD_MULTIPLE) * PAD_MULTIPLE }
}

/**
 * Text tokens per second of forward passes up to the hook.
 * @param windows a sample of the text, not empty: short documents waste more of a pass on padding
 */
export function measureCollecting(source: ActivationSource, windows: Windows, contextSize: number): number {
  const { textShare, time } = paddingOf(windows, { contextSize, bosId: source.bosId })
  const rows = Math.max(1, Math.floor(PASS_TOKENS / time))
  const ids = new Int32Array(rows * time)
  const ms = medianMs(() => timed(() => void source.start(ids, rows)()), PASSES_MS)
  return (textShare * ids.length * 1000) / ms
}

/** A smaller dictionary of the same kind; `wider` times as many features make the real one. */
function measurable({ dIn, config }: KernelOptions, { weights }: Work): { config: TrainerConfig; wider: number } {
  const dSae = Math.min(config.dSae, Math.max(8, Math.floor(weights / dIn)))
  const wider = config.dSae / dSae
  const widths = [...new Set(widthsOf(config).map((width) => Math.ceil(width / wider)))]
  const k = Math.min(config.k, dSae)
  return { wider, config: { ...config, dSae, k, matryoshkaWidths: wider === 1 ? config.matryoshkaWidths : widths } }
}

function makeBatch(rows: number, dIn: number): Float32Array {
  const made = new MadeUp()
  return Float32Array.from({ length: rows * dIn }, () => made.normal())
}

const rowsFor = ({ flop }: Work, dIn: number, { dSae, batchTokens }: TrainerConfig): number =>
  Math.min(batchTokens, Math.max(FEWEST_ROWS, Math.floor(STEP_FLOP / (flop * dIn * dSae))))

/** Biases so low that few features stay active, as they are once the penalty has done its work. */
function thinned({ architecture, dIn, config }: KernelOptions, state: StepState, batch: Float32Array): StepState {
  const { dSae, initialThreshold, bandwidth } = config
  const rows = Math.min(batch.length / dIn, Math.max(1, Math.floor(LOOKED_AT / dSae)))
  const tensors = toTensors(state.parameters)
  const pre = tf.tidy(() => architecture.hiddenPre(tensors, tf.tensor2d(batch.subarray(0, rows * dIn), [rows, dIn])))
  const values = Float32Array.from(pre.dataSync()).sort()
  tf.dispose([pre, ...Object.values(tensors)])
  const active = Math.min(SPARSE_L0, dSae / 8)
  const cut = values[Math.max(0, values.length - 1 - Math.round(rows * active))] ?? 0
  // The kernels also follow features that are off and within reach of their threshold.
  const floor = architecture.name === 'jumprelu' ? initialThreshold - bandwidth / 2 : 0
  const bias = dataOf(state.parameters, architecture.name === 'gated' ? 'bGate' : 'bEnc')
  bias.forEach((held, i) => (bias[i] = held + floor - cut))
  return { ...state, route: 'sparse' }
}

/**
 * Milliseconds of a step, always from the same parameters: the learning rate is 0, which costs as much as any other.
 * @param batch fewer rows than a batch has, perhaps: what Adam takes for all parameters does not grow with them, so half of the rows
 * are measured too
 */
function timeSteps(steps: Steps, state: StepState, batch: Float32Array, { dIn, config, architecture }: KernelOptions) {
  const settings = stepSettings(config, { dIn }, { step: 1, steps: 1, deadMask: null })
  const update = {
    learningRate: 0,
    clipNorm: 1,
    update: 1,
    unitDecoder: architecture.hasUnitDecoder,
    check: () => undefined,
  }
  let route = state.route
  steps.restore(state)
  const timeRows = (rows: number) =>
    medianMs(() => {
      // A narrow dictionary changes its route after one step.
      if (steps.route !== state.route) steps.restore(state)
      return timed(() => (route = steps.step(batch.subarray(0, rows * dIn), settings, update).route))
    }, STEPS_MS)
  const rows = batch.length / dIn
  const all = timeRows(rows)
  if (rows >= config.batchTokens) return { route, ms: all }
  const half = Math.floor(rows / 2)
  const perRow = Math.min(all / rows, Math.max(0, (all - timeRows(half)) / (rows - half)))
  return { route, ms: all + perRow * (config.batchTokens - rows) }
}

/** The time of one kind of step on made-up vectors; `route` is the one that was taken in the end. */
function measureSteps(options: KernelOptions, work: Work): { route: RouteName; ms: number } {
  const { architecture, dIn } = options
  const { config, wider } = measurable(options, work)
  const rows = rowsFor(work, dIn, config)
  const { open } = openKernels({ ...options, config: { ...config, batchTokens: rows } })
  const parameters = architecture.initialise({ dIn, dSae: config.dSae }, config, new MadeUp())
  const steps = new Steps(architecture, { dIn, dSae: config.dSae }, parameters, work === SPARSE ? open : () => null)
  try {
    const batch = makeBatch(rows, dIn)
    const small = { ...options, config }
    const state = steps.state()
    const start = work === SPARSE && !hasFixedK(config) ? thinned(small, state, batch) : state
    const { route, ms } = timeSteps(steps, start, batch, small)
    return { route, ms: wider * ms }
  } finally {
    steps.dispose()
  }
}

/** Tokens per second of a held-out evaluation. */
function measureJudging(options: KernelOptions): number {
  const { architecture, dIn } = options
  const { config, wider } = measurable(options, JUDGE)
  const rows = rowsFor(JUDGE, dIn, { ...config, batchTokens: BLOCK_ROWS })
  const parameters = toTensors(architecture.initialise({ dIn, dSae: config.dSae }, config, new MadeUp()))
  try {
    const judge = new HeldOutJudge({ vectors: makeBatch(rows, dIn), dIn, tokens: rows })
    const settings = encodeSettings(config, 0)
    const ms = medianMs(() => timed(() => void judge.judge(architecture, parameters, settings)), STEPS_MS)
    return (rows * 1000) / (wider * ms)
  } finally {
    tf.dispose(Object.values(parameters))
  }
}

/** Times of steps and evaluations, which do not depend on the text. */
export function measureTraining(
  options: KernelOptions,
): Pick<Speeds, 'route' | 'stepMs' | 'denseStepMs' | 'judgeTokensPerSecond'> {
  const judgeTokensPerSecond = measureJudging(options)
  // Whether there are kernels follows from the real sizes.
  const hasKernels = openKernels(options).reason === ''
  const sparse = hasKernels ? measureSteps(options, SPARSE) : null
  if (sparse && hasFixedK(options.config)) {
    return { route: sparse.route, stepMs: sparse.ms, denseStepMs: null, judgeTokensPerSecond }
  }
  const dense = measureSteps(options, DENSE)
  const { route, ms } = sparse ?? dense
  return { route, stepMs: ms, denseStepMs: sparse ? dense.ms : null, judgeTokensPerSecond }
}
