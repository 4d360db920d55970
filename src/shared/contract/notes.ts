/** What people keep of features beside labels and tags: notes, lists, and views of the feature list. */
import { z } from 'zod'
import { FeatureList, Id, Note, SavedView } from '../domain'
import { plainLine, plainLines } from '../plain-text'
import { call } from '../wire'
import { feature } from './features'

const name = plainLine(100, 1)
const featureIndexes = z.array(feature.featureIndex).min(1).max(10_000)

export const notes = {
  'notes.add': call(
    z.object({
      ...feature,
      text: plainLines(5000, 1),
      author: plainLine(100).default(''),
    }),
    z.array(Note),
  ),
  'notes.remove': call(z.object({ noteId: Id }), z.null()),
  'lists.all': call(z.object({ saeId: Id }), z.array(FeatureList.extend({ count: z.int() }))),
  /** Puts features into a list, making it if it is new; `added` were not in it before. */
  'lists.put': call(z.object({ saeId: Id, featureIndexes, name }), FeatureList.extend({ added: z.array(z.int()) })),
  'lists.take': call(z.object({ saeId: Id, featureIndexes, listId: Id }), z.null()),
  /** The features stay. */
  'lists.remove': call(z.object({ listId: Id }), z.null()),
  'views.list': call(z.object({}), z.array(SavedView)),
  /** One of the same name is replaced. */
  'views.save': call(z.object({ name, query: z.string().max(2000) }), z.array(SavedView)),
  'views.remove': call(z.object({ viewId: Id }), z.array(SavedView)),
}
