/** A language model whose weights can be trained: the engine's own forward pass under a tape, and the loss of next tokens. */
import { llama } from '../../src/main/engine/lm/llama'
import type { FamilyNet, LoadedWeights } from '../../src/main/engine/lm/family'
import { LanguageModel } from '../../src/main/engine/lm/model'
import { tf } from '../../src/main/engine/tf'
import type { Random } from '../../src/main/engine/train/random'

/** Tensors under their names without prefix, in their stored layout. */
export type Parameters = Map<string, { shape: number[]; data: Float32Array<ArrayBuffer> }>

const EMBED = 'embed_tokens.weight'
const EMBED_STD = 0.05

/** Whether the map writes into the residual stream, to which every layer adds. */
const isOutput = (name: string) => name.endsWith('o_proj.weight') || name.endsWith('down_proj.weight')

/**
 * Normal numbers with variance 1 / inputs; maps into the residual stream divided by sqrt(2 layers), so that it starts no larger
 * in deep models (Radford et al. 2019); norms 1.
 */
export function initialParameters(json: object, random: Random): Parameters {
  const { facts, shapes } = llama.parse(json)
  const depth = Math.sqrt(2 * facts.layers)
  const parameters: Parameters = new Map()
  for (const [name, shape] of shapes(() => false)) {
    const data = new Float32Array(shape.reduce((product, length) => product * length, 1))
    const std = name === EMBED ? EMBED_STD : 1 / Math.sqrt(shape[1] ?? 1) / (isOutput(name) ? depth : 1)
    if (shape.length === 1) data.fill(1)
    else for (let i = 0; i < data.length; i++) data[i] = std * random.normal()
    parameters.set(name, { shape, data })
  }
  return parameters
}

/**
 * Mean over rows of logsumexp(logits) - logits[target], in nats; its gradient (softmax - onehot) / rows is taken in closed form.
 * @param logits [rows, vocabulary]
 * @param targets [rows]
 */
export function crossEntropyOf(logits: tf.Tensor2D, targets: Int32Array): tf.Scalar {
  const [rows, vocabulary] = logits.shape
  const loss = tf.customGrad((...given) => {
    const [x] = given
    const save = given.at(-1)
    if (!(x instanceof tf.Tensor) || typeof save !== 'function')
      throw new Error('customGrad gives a tensor and a function')
    // Cells of the targets are taken and put one by one: a matrix of zeros and ones would be as large as the logits.
    const cells = tf.tensor2d(
      Array.from(targets, (target, row) => [row, target]),
      [rows, 2],
      'int32',
    )
    const value: tf.Scalar = tf.mean(tf.sub(tf.logSumExp(x, 1), tf.gatherND(x, cells)))
    save([x, cells])
    const gradFunc = (dy: tf.Scalar, [saved, savedCells]: tf.Tensor[]) => {
      if (!saved || !savedCells) throw new Error('nothing was saved')
      const ones = tf.scatterND(savedCells, tf.ones([rows]), [rows, vocabulary])
      return tf.mul(tf.sub(tf.softmax(saved), ones), tf.div(dy, rows))
    }
    return { value, gradFunc }
  })
  return loss(logits)
}

/** The engine's network on given tensors, which stay the caller's; what it keeps is freed by its `dispose`. */
function netOf(json: object, tensors: ReadonlyMap<string, tf.Tensor>): { net: FamilyNet; model: LanguageModel } {
  const family = llama.parse(json)
  const tensorOf = (name: string): tf.Tensor => {
    const found = tensors.get(name)
    if (!found) throw new Error(`there is no ${name}`)
    return found
  }
  const weights: LoadedWeights = {
    blocks: family.facts.layers,
    vector: (name) => tf.reshape<tf.Rank.R1>(tensorOf(name), [-1]),
    matrix: (name) => tf.reshape<tf.Rank.R2>(tensorOf(name), [tensorOf(name).shape.at(0) ?? 0, -1]),
    has: (name) => tensors.has(name),
  }
  const net = family.build(weights)
  const parameters = [...tensors.values()].reduce((sum, { size }) => sum + size, 0)
  const config = { ...family.facts, dtype: 'float32', parameters, weightBytes: 4 * parameters }
  return { net, model: new LanguageModel(config, net) }
}

/**
 * Loss of next tokens, and its gradient by every parameter.
 * @param texts ids [rows, time + 1]: each row's token t + 1 is the target of its token t
 */
export function lossAndGradients(
  json: object,
  parameters: Parameters,
  texts: { ids: Int32Array; rows: number },
): { loss: number; gradients: Parameters } {
  const { rows } = texts
  const length = texts.ids.length / rows
  const time = length - 1
  const inputs = new Int32Array(rows * time)
  const targets = new Int32Array(rows * time)
  for (let row = 0; row < rows; row++) {
    inputs.set(texts.ids.subarray(row * length, row * length + time), row * time)
    targets.set(texts.ids.subarray(row * length + 1, (row + 1) * length), row * time)
  }
  const names = [...parameters.keys()]
  const nets: FamilyNet[] = []
  const { value, grads } = tf.tidy(() => {
    const tensors = [...parameters.values()].map(({ shape, data }) => tf.tensor(data, shape))
    const lossOf = (...given: tf.Tensor[]): tf.Scalar => {
      const built = netOf(json, new Map(names.map((name, i) => [name, given[i] ?? tf.scalar(0)])))
      nets.push(built.net)
      const { logits } = built.model.forward(tf.tensor2d(inputs, [rows, time], 'int32'))
      if (!logits) throw new Error('the pass gave no logits')
      return crossEntropyOf(tf.reshape(logits, [rows * time, logits.shape[2]]), targets)
    }
    return tf.valueAndGrads(lossOf)(tensors)
  })
  const gradients: Parameters = new Map()
  for (const [i, [name, { shape }]] of [...parameters].entries()) {
    gradients.set(name, { shape, data: new Float32Array(grads[i]?.dataSync<'float32'>() ?? []) })
  }
  const loss = value.dataSync()[0] ?? Number.NaN
  tf.dispose([value, ...grads])
  for (const net of nets) net.dispose()
  return { loss, gradients }
}
