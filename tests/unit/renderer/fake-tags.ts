/** What the fake program says of tags, and what it keeps of them. */
import type { Tag, TagFacts } from '../../../src/shared/domain'
import { AppError } from '../../../src/shared/errors'

type Kept = { tags: (Tag & { category?: string })[]; taggings: ReadonlyMap<number, ReadonlySet<number>> }

export function tagHandlers({ tags, taggings }: Kept) {
  return {
    'tags.features': ({ tagId }: { tagId: number }) => {
      const carriers = [...taggings].filter(([, ids]) => ids.has(tagId)).map(([index]) => index)
      return Promise.resolve({ featureIndexes: Int32Array.from(carriers).sort() })
    },
    'tags.list': () =>
      Promise.resolve(
        tags.map((tag) => ({
          ...{ category: '', ...tag },
          count: [...taggings.values()].filter((ids) => ids.has(tag.id)).length,
        })),
      ),
    'tags.change': ({ tagId, ...facts }: TagFacts & { tagId: number }) => {
      const taken = tags.some(({ id, name }) => id !== tagId && name === facts.name)
      if (taken) return Promise.reject(new AppError('tag-exists', { name: facts.name }))
      const tag = tags.find(({ id }) => id === tagId)!
      return Promise.resolve(Object.assign(tag, { ...facts, category: facts.category }))
    },
  }
}
