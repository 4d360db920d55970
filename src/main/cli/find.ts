/** Finds what the user named by number or by name, the newest of that name; without a name, the newest. */
import { InvalidArgumentError } from 'commander'
import type { ActivationSet, Dataset, Model, Sae } from '../../shared/domain'
import { AppError } from '../../shared/errors'
import { composed } from '../../shared/folding'
import type { Session } from './session'
import { noteChanges } from './stale'

function find<T extends { id: number; name: string }>(all: readonly T[], wanted: string | undefined, what: string): T {
  const byId = all.find(({ id }) => String(id) === wanted)
  const named = wanted === undefined ? all : all.filter(({ name }) => composed(name) === composed(wanted))
  const found = byId ?? named.reduce<T | undefined>((best, one) => (best && best.id > one.id ? best : one), undefined)
  if (!found) throw new AppError('not-found', { what, id: wanted ?? '' })
  return found
}

export const findModel = async ({ client }: Session, wanted?: string): Promise<Model> =>
  find(await client.call('models.list', {}), wanted, 'model')

export const findDataset = async ({ client }: Session, wanted?: string): Promise<Dataset> =>
  find(await client.call('datasets.list', {}), wanted, 'dataset')

/** Says on stderr when its files, its model's or its atlas's text's are others than its figures were made of. */
export async function findSae(session: Session, wanted?: string): Promise<Sae> {
  const found = find(await session.client.call('saes.list', {}), wanted, 'SAE')
  await noteChanges(session, found.id)
  return found
}

export const findActivations = async ({ client }: Session, wanted?: string): Promise<ActivationSet> =>
  find(await client.call('activations.list', {}), wanted, 'activations')

/** A number given as an option or argument. */
export function toNumber(given: string): number {
  const value = Number(given)
  if (given.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It is not a number.')
  return value
}

/** A port given as an option; 0 takes a free one. */
export function toPort(given: string): number {
  const port = toNumber(given)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new InvalidArgumentError('A port is a whole number from 0 to 65535; 0 takes a free one.')
  }
  return port
}

/** Collects an option that may be given several times. */
export const collect = (value: string, before: string[] = []): string[] => [...before, value]
