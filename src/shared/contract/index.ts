/** The only list of names: every call and feed of the program. */
import type { Client, HandlersOf } from '../wire'
import { across } from './across'
import { activations } from './activations'
import { app } from './app'
import { catalog } from './catalog'
import { compare } from './compare'
import { demo } from './demo'
import { features } from './features'
import { hub } from './hub'
import { library } from './library'
import { lm } from './lm'
import { map } from './map'
import { neurons } from './neurons'
import { notes } from './notes'
import { runs } from './runs'
import { stale } from './stale'
import { safety } from './safety'
import { search } from './search'
import { text } from './text'

export const contract = {
  ...app,
  ...library,
  ...demo,
  ...hub,
  ...lm,
  ...activations,
  ...runs,
  ...features,
  ...across,
  ...compare,
  ...notes,
  ...map,
  ...neurons,
  ...stale,
  ...search,
  ...text,
  ...safety,
  ...catalog,
}

export type MonoscopeContract = typeof contract
export type MonoscopeClient = Client<MonoscopeContract>
export type MonoscopeHandlers = HandlersOf<MonoscopeContract>
