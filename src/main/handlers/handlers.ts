/** All handlers of the contract over one set of services. */
import { contract, type MonoscopeHandlers } from '../../shared/contract'
import { translateSystemError } from '../workspace/system-errors'
import { acrossHandlers } from './across'
import { activationHandlers } from './activations'
import { appHandlers } from './app'
import { catalogHandlers } from './catalog'
import { compareHandlers } from './compare'
import { demoHandlers } from './demo'
import { featureHandlers } from './features'
import { hubHandlers } from './hub'
import { libraryHandlers } from './library'
import { lmHandlers } from './lm'
import { mapHandlers } from './map'
import { neuronHandlers } from './neurons'
import { staleHandlers } from './stale'
import { noteHandlers } from './notes'
import { runHandlers } from './runs'
import { safetyHandlers } from './safety'
import { searchHandlers } from './search'
import type { Services } from './services'
import { textHandlers } from './text'

/** Handlers whose failures are translated: a full disk is a full disk whichever call met it. */
export function makeHandlers(services: Services): MonoscopeHandlers {
  const handlers: MonoscopeHandlers = {
    ...appHandlers(services),
    ...libraryHandlers(services),
    ...demoHandlers(services),
    ...hubHandlers(services),
    ...lmHandlers(services),
    ...activationHandlers(services),
    ...runHandlers(services),
    ...featureHandlers(services),
    ...acrossHandlers(services),
    ...compareHandlers(services),
    ...noteHandlers(services),
    ...mapHandlers(services),
    ...neuronHandlers(services),
    ...staleHandlers(services),
    ...searchHandlers(services),
    ...textHandlers(services),
    ...safetyHandlers(services),
    ...catalogHandlers(services),
  }
  const isCall = (name: string) =>
    Object.entries(contract).some(([known, { kind }]) => known === name && kind === 'call')
  const translate = (error: unknown) => translateSystemError(error, services.paths.database)
  const translated = Object.entries(handlers).map(([name, handler]) => {
    if (!isCall(name)) {
      const feed = handler as (...args: never[]) => AsyncIterable<unknown>
      const translatedFeed = async function* (...args: never[]) {
        try {
          yield* feed(...args)
        } catch (error) {
          throw translate(error)
        }
      }
      return [name, translatedFeed]
    }
    const ask: (...args: never[]) => unknown = handler
    const translatedCall = async (...args: never[]) => {
      try {
        return await ask(...args)
      } catch (error) {
        throw translate(error)
      }
    }
    return [name, translatedCall]
  })
  // The same names with the same arguments and answers; only what is thrown differs.
  return Object.fromEntries(translated) as MonoscopeHandlers
}
