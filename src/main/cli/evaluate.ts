/** `evaluate`: how well an autoencoder stands for the activations, in figures of held-out text. */
import type { Command } from 'commander'
import type { Sae } from '../../shared/domain'
import { findDataset, findSae } from './find'
import { followJob } from './follow'
import type { Output } from './output'
import type { RunCommand } from './run-command'
import { STOPPED } from './runs'
import type { Session } from './session'

const DIGITS = 4

const figure = (value: number): string => value.toFixed(DIGITS)
const share = (value: number | null): string => (value === null ? '-' : `${(100 * value).toFixed(1)} %`)

/** Several lines: what the figures rest on, then the figures. */
export function qualityText(out: Output, { id, name, quality }: Sae): string {
  if (!quality) return out.say('notEvaluated', { id, name })
  const {
    tokens,
    datasetName,
    isHeldOut,
    silentFraction,
    relativeBias,
    ceRecovered,
    ceRecoveredMean,
    klScore,
    ...rest
  } = quality
  const figures = Object.entries(rest).filter((entry): entry is [string, number] => typeof entry[1] === 'number')
  return out.say('evaluated', {
    ...Object.fromEntries(figures.map(([key, value]) => [key, figure(value)])),
    ...{ id, name, tokens: tokens.toLocaleString('en-US'), dataset: datasetName },
    heldOut: out.say(isHeldOut === true ? 'evaluatedHeldOut' : 'evaluatedUnknown'),
    ...{ silent: share(silentFraction), recovered: share(ceRecovered), recoveredMean: share(ceRecoveredMean) },
    klScore: share(klScore),
    relativeBias: relativeBias === null ? '-' : figure(relativeBias),
  })
}

/** Evaluates, waits and prints; returns the exit status. */
async function evaluate(session: Session, options: { sae?: string; dataset?: string }): Promise<number> {
  const { client, out } = session
  const { id: saeId } = await findSae(session, options.sae)
  const { id: datasetId } = await findDataset(session, options.dataset)
  const { id } = await client.call('evaluations.start', { saeId, datasetId })
  const job = await followJob(session, id)
  const sae = (await client.call('saes.list', {})).find((one) => one.id === saeId)
  if (job.state !== 'done' || !sae) return STOPPED
  out.result(sae, qualityText(out, sae))
  return 0
}

export function addEvaluateCommand(program: Command, run: RunCommand): void {
  program
    .command('evaluate')
    .description('judge an autoencoder on held-out text with the whole model')
    .option('--sae <id or name>', 'the newest unless given')
    .option('--dataset <id or name>', 'the newest unless given')
    .action((options: { sae?: string; dataset?: string }) => run((session) => evaluate(session, options)))
}
