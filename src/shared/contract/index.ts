/** The only list of names: every call and feed of the program. */
import type { Client, HandlersOf } from '../wire'
import { app } from './app'
import { catalog } from './catalog'
import { features } from './features'
import { library } from './library'
import { runs } from './runs'
import { safety } from './safety'
import { search } from './search'

export const contract = { ...app, ...library, ...runs, ...features, ...search, ...safety, ...catalog }

export type MonoscopeContract = typeof contract
export type MonoscopeClient = Client<MonoscopeContract>
export type MonoscopeHandlers = HandlersOf<MonoscopeContract>
