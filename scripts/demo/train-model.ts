/**
 * Trains the demo's language model, or goes on where an earlier call ended:
 *   node scripts/demo/run.mjs train-model --corpus DIR --state DIR --minutes 60 [--decay 800] [--from DIR]
 * The rate rises over the first updates, then stays. A call with `--decay` lets it fall to 0 over its last steps and writes the model,
 * but keeps the state from before, from which a later call goes on. `--from` starts with the weights of a model folder and new moments.
 * Prints a JSON line every 50 steps and keeps these lines in the state folder.
 */
import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadTokenizer } from '../../src/main/engine/lm'
import { openBackend } from '../../src/main/engine/tf'
import { Random } from '../../src/main/engine/train/random'
import { MODEL, prepareTokenizer } from './model-folder'
import { beginTraining, judge, trainingStep, WINDOW } from './model-training'
import { idsOf } from './texts'
import { initialParameters } from './trainable-model'
import { readState, readWeights, writeModel, writeState } from './training-state'
import type { TrainingState } from './training-state'

const RATE = 2e-3
const WARM_UPDATES = 200
const LOG_STEPS = 50
const SAVE_STEPS = 250
const JUDGE_STEPS = 500

type Job = { corpus: string; folder: string; from: string | undefined; endsAt: number; decay: number; rows: number }

function jobOf(): Job {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    options: {
      ...{ corpus: text, state: text, from: text },
      ...{ minutes: { ...text, default: '60' }, decay: { ...text, default: '0' }, rows: { ...text, default: '12' } },
    },
  })
  const { corpus, state: folder, from, minutes, decay, rows } = values
  if (corpus === undefined || folder === undefined) throw new Error('--corpus and --state are needed')
  const endsAt = performance.now() + Number(minutes) * 60_000
  return { corpus, folder, from, endsAt, decay: Number(decay), rows: Number(rows) }
}

/** Prints figures, and keeps them. */
type Say = (figures: object) => void

/** What the steps are made on. */
type Data = { json: object; state: TrainingState; training: Uint16Array; heldOut: Uint16Array }

async function open({ corpus, folder, from }: Job): Promise<Data> {
  const json = await prepareTokenizer(folder, join(corpus, 'training.jsonl'))
  const tokenizer = await loadTokenizer(folder)
  const training = await idsOf(join(corpus, 'training.jsonl'), tokenizer, join(folder, 'training.ids'))
  const heldOut = await idsOf(join(corpus, 'held-out.jsonl'), tokenizer, join(folder, 'held-out.ids'))
  const weights = async () =>
    from === undefined ? initialParameters(json, Random.fromSeed(0)) : await readWeights(from)
  const kept = from === undefined ? await readState(folder) : null
  return { json, state: kept ?? beginTraining(await weights()), training, heldOut }
}

/** Makes steps until the time is over; those of the decay must fit in. */
async function train({ json, state, training, heldOut }: Data, job: Job, say: Say): Promise<void> {
  const { folder, endsAt, decay, rows } = job
  let [decayed, sum, stepMs, since] = [0, 0, 0, performance.now()]
  for (;;) {
    const started = performance.now()
    const isDecaying = decayed > 0 || (decay > 0 && endsAt - started < decay * stepMs)
    if (isDecaying ? decayed === decay : started > endsAt) return
    if (isDecaying) decayed += 1
    const rate = RATE * Math.min(1, (state.progress.update + 1) / WARM_UPDATES) * (1 - decayed / (decay + 1))
    const { loss, norm } = trainingStep(json, state, { ids: training, rows, rate })
    sum += loss
    stepMs = performance.now() - started
    const { step, tokens } = state.progress
    if (step % LOG_STEPS === 0) {
      const tokensPerS = Math.round((LOG_STEPS * rows * WINDOW * 1000) / (performance.now() - since))
      const judged = step % JUDGE_STEPS === 0 ? { heldOut: judge(json, state.parameters, heldOut) } : {}
      say({ step, tokens, loss: sum / LOG_STEPS, norm, rate, tokensPerS, ...judged })
      ;[sum, since] = [0, performance.now()]
    }
    if (step % SAVE_STEPS === 0 && !isDecaying) await writeState(folder, state)
  }
}

async function main(): Promise<void> {
  const job = jobOf()
  const { folder, decay } = job
  const { device } = await openBackend()
  mkdirSync(folder, { recursive: true })
  const say: Say = (figures) => {
    const line = JSON.stringify(figures)
    process.stdout.write(`${line}\n`)
    appendFileSync(join(folder, 'log.jsonl'), `${line}\n`)
  }
  const data = await open(job)
  const { json, state, training, heldOut } = data
  say({ device, ...MODEL, trainingTokens: training.length, heldOutTokens: heldOut.length, ...state.progress })
  await train(data, job, say)
  if (decay === 0) await writeState(folder, state)
  const { parameters, progress } = state
  say({ ...progress, heldOut: judge(json, parameters, heldOut) })
  await writeModel(join(folder, 'model'), { json, tokenizer: join(folder, 'tokenizer.json'), parameters })
  process.exit(0)
}

void main()
