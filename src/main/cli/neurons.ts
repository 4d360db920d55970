/** `neurons`: how strongly the features of an autoencoder go with single neurons of the layers before it. */
import type { Command } from 'commander'
import type { BestNeuron, NeuronMatches, NeuronSummary } from '../../shared/domain'
import { findDataset, findSae, toNumber } from './find'
import { followJob } from './follow'
import type { Output } from './output'
import type { RunCommand } from './run-command'
import { STOPPED } from './runs'
import type { Session } from './session'

type Options = { features?: number; tokens?: number; seed?: number }

const count = (value: number): string => value.toLocaleString('en-US')

/** `layer 2, neuron 17`, or that there is none. */
function placeOf(out: Output, { place }: BestNeuron): string {
  return place ? out.say('neuronPlace', place) : out.say('neuronNone')
}

/** One sentence for a feature: its best neuron, or why it has none. */
export function bestNeuronLine(
  out: Output,
  { summary, best }: { summary: NeuronSummary | null; best: BestNeuron | null },
): string {
  if (!summary) return out.say('neuronsUnmeasured')
  if (!best) return out.say('neuronUndrawn', { features: count(summary.features) })
  const tokens = count(summary.tokens)
  return out.say('bestNeuron', { place: placeOf(out, best), r: best.r.toFixed(3), tokens })
}

function matchLine(out: Output, match: NeuronMatches['rows'][number]): string {
  const { featureIndex, label, topToken } = match.feature
  return `${featureIndex}\t${match.r.toFixed(3)}\t${placeOf(out, match)}\t${label ?? JSON.stringify(topToken ?? '')}`
}

/** Measures, waits and prints; returns the exit status. */
async function measure(session: Session, [sae, dataset]: [string, string], options: Options): Promise<number> {
  const { client, out } = session
  const { id: saeId, name } = await findSae(session, sae)
  const { id: datasetId } = await findDataset(session, dataset)
  const { id } = await client.call('neurons.start', { saeId, datasetId, ...options })
  const job = await followJob(session, id)
  const found = await client.call('neurons.get', { saeId })
  if (job.state !== 'done' || !found) return STOPPED
  const { tokens, neurons, layers, features, eligible, weakShare } = found.summary
  const head = out.say('neuronsDone', {
    ...{ id: saeId, name, dataset: found.summary.datasetName, layers, share: (100 * weakShare).toFixed(1) },
    ...{ tokens: count(tokens), neurons: count(neurons), features: count(features), eligible: count(eligible) },
  })
  out.result({ saeId, ...found }, [head, ...found.rows.map((row) => matchLine(out, row))])
  return 0
}

export function addNeuronCommand(program: Command, run: RunCommand): void {
  program
    .command('neurons <sae> <dataset>')
    .description('hold features against single neurons of the layers before them (autoencoder and text by id or name)')
    .option('--features <count>', 'features to draw, 1000 unless given', toNumber)
    .option('--tokens <count>', 'tokens to read, 1000000 or the whole text unless given', toNumber)
    .option('--seed <number>', 'draws the features, 0 unless given', toNumber)
    .action((sae: string, dataset: string, options: Options) =>
      run((session) => measure(session, [sae, dataset], options)),
    )
}
