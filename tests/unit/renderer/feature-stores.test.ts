// @vitest-environment happy-dom
/** The stores of features, search and safety over the real wire with an in-memory workspace behind it. */
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { MonoscopeClient, MonoscopeContract } from '../../../src/shared/contract'
import { FeatureFilter } from '../../../src/shared/domain'
import { AppError } from '../../../src/shared/errors'
import { connect } from '../../../src/shared/wire'
import { FakeWorkspace } from './fake-features'

const held: { client: MonoscopeClient | null } = vi.hoisted(() => ({ client: null }))
vi.mock('../../../src/renderer/app/client', () => ({
  client: {
    call: (...input: Parameters<MonoscopeClient['call']>) => held.client!.call(...input),
    feed: (...input: Parameters<MonoscopeClient['feed']>) => held.client!.feed(...input),
  },
}))

const { useFeatureList } = await import('../../../src/renderer/views/features/features.store')
const { useUndo } = await import('../../../src/renderer/app/undo.store')
const { useFeature } = await import('../../../src/renderer/views/features/feature.store')
const { fromQuery, toQuery } = await import('../../../src/renderer/views/features/list-query')
const { usePromptSearch } = await import('../../../src/renderer/views/search/search.store')
const { useSafety } = await import('../../../src/renderer/views/safety/safety.store')

let workspace: FakeWorkspace
beforeEach(() => {
  workspace = new FakeWorkspace(1000)
  held.client = connect<MonoscopeContract>(workspace.connect())
  setActivePinia(createPinia())
})

const failure = new AppError('atlas-missing', { id: 1 })

describe('feature list', () => {
  it('fetches pages once, as they come into view', async () => {
    const list = useFeatureList()
    await list.open(1)
    expect(list.counts).toEqual({ matching: 1000, isMore: false, total: 1000, alive: 999 })
    expect(list.rowAt(99)?.featureIndex).toBe(99)
    expect(list.rowAt(250)).toBeUndefined()
    await list.ensure(240, 310)
    await list.ensure(250, 320)
    expect(list.rowAt(250)?.featureIndex).toBe(250)
    expect(workspace.calls.filter((name) => name === 'features.list')).toHaveLength(3)
  })

  it('drops the answer to a question that was replaced', async () => {
    const list = useFeatureList()
    await list.open(1)
    const slow = list.ask({ sort: 'max', descending: true })
    const fast = list.ask({ sort: 'index', descending: true })
    await Promise.all([slow, fast])
    expect(list.rowAt(0)?.featureIndex).toBe(999)
    expect(list.isBusy).toBe(false)
  })

  it('turns a column round on the second click and starts numbers with the largest', async () => {
    const list = useFeatureList()
    await list.open(1)
    await list.sortBy('max')
    expect([list.sort, list.descending, list.rowAt(0)?.maxActivation]).toEqual(['max', true, 39.9])
    await list.sortBy('max')
    expect(list.rowAt(0)?.maxActivation).toBe(0)
  })

  it('keeps rows when a page fails, says so, and asks again', async () => {
    const list = useFeatureList()
    await list.open(1)
    workspace.failing.set('features.list', failure)
    await list.ensure(500, 500)
    expect(list.error).toMatchObject({ code: 'atlas-missing' })
    expect(list.rowAt(0)?.featureIndex).toBe(0)
    workspace.failing.clear()
    await list.ensure(500, 500)
    expect(list.rowAt(500)?.featureIndex).toBe(500)
    expect(list.error).toBeNull()
  })

  it('tags all selected features and clears the selection', async () => {
    const list = useFeatureList()
    await list.open(1)
    list.toggle(3)
    list.toggle(5)
    list.toggle(3)
    list.toggle(8)
    await list.tagSelected('code')
    expect([...workspace.taggings.keys()]).toEqual([5, 8])
    expect(list.selected.size).toBe(0)
    expect(list.rowAt(5)?.tags.map((tag) => tag.name)).toEqual(['code'])
    expect(list.tags).toMatchObject([{ name: 'code', count: 2 }])
  })

  it('changes a tag wherever it is, takes that back, and keeps it when the name is taken', async () => {
    const list = useFeatureList()
    await list.open(1)
    for (const name of ['code', 'german']) {
      list.toggle(5)
      await list.tagSelected(name)
    }
    const [code] = list.tags
    await list.changeTag(code!, { name: 'Python', color: 3, category: 'language' })
    expect(list.tags[0]).toMatchObject({ name: 'Python', color: 3, category: 'language', count: 1 })
    expect(list.rowAt(5)?.tags.map(({ name }) => name)).toContain('Python')
    await useUndo().undo()
    expect(list.tags[0]).toEqual(code)
    const taken = list.changeTag(code!, { name: 'german', color: 3, category: '' })
    await expect(taken).rejects.toMatchObject({ code: 'tag-exists' })
    expect(list.tags[0]).toEqual(code)
  })

  it('steps through the list where it stands in it, else by number', async () => {
    const list = useFeatureList()
    await list.open(1)
    await list.ask({ descending: true })
    list.cursor = 1
    expect(await list.neighbour(1, 998, 1, 1000)).toBe(997)
    expect(list.cursor).toBe(2)
    expect(await list.neighbour(1, 400, 1, 1000)).toBe(401)
    expect(await list.neighbour(1, 0, -1, 1000)).toBeNull()
    list.cursor = 0
    expect(await list.neighbour(1, 999, -1, 1000)).toBeNull()
  })

  it('draws a random feature among those that match', async () => {
    const list = useFeatureList()
    await list.open(1)
    await list.ask({ filter: { state: 'silent' } })
    expect(await list.random()).toBe(0)
    await list.ask({ filter: { text: 'nothing has this label' } })
    expect(await list.random()).toBeNull()
  })

  it('writes filter and order to the address and reads them back', () => {
    const query = {
      filter: FeatureFilter.parse({
        ...{ text: '오류', contexts: '3', state: 'alive', labelled: 'no', tagged: 'yes', tagIds: [2, 7] },
        ...{ minDensity: 0.00005, maxMax: 12.5, minMean: 0 },
      }),
      sort: 'density' as const,
      descending: true,
    }
    expect(fromQuery(toQuery(query))).toEqual(query)
    expect(toQuery(fromQuery({}))).toEqual({})
    expect(fromQuery({ state: 'odd', min: '7', tags: 'x,-1', sort: 'DROP' })).toEqual(fromQuery({}))
  })
})

describe('feature page', () => {
  it('keeps the feature opened last when answers overtake each other', async () => {
    const page = useFeature()
    await Promise.all([page.open(1, 3), page.open(1, 4)])
    expect(page.detail?.featureIndex).toBe(4)
  })

  it('takes back the last changes one after the other', async () => {
    const page = useFeature()
    const undo = useUndo()
    await page.open(1, 3)
    await page.saveLabel('one')
    await page.saveLabel('two')
    await page.addTag('loud')
    await page.addToList('Mine')
    await page.addNote('remember')
    expect(page.detail).toMatchObject({ label: 'two', tags: [{ name: 'loud' }], lists: [{ name: 'Mine' }] })
    expect(undo.isShown).toBe(true)
    await undo.undo()
    expect(page.detail?.notes).toEqual([])
    await undo.undo()
    await undo.undo()
    expect(page.detail).toMatchObject({ tags: [], lists: [] })
    await undo.undo()
    expect(page.detail?.label).toBe('one')
    await undo.undo()
    expect(page.detail?.label).toBeNull()
    expect(undo.last).toBeNull()
  })

  it('keeps a change that could not be taken back, with the reason', async () => {
    const page = useFeature()
    const undo = useUndo()
    await page.open(1, 3)
    await page.addTag('loud')
    workspace.failing.set('features.untag', failure)
    await undo.undo()
    expect(undo.error).toMatchObject({ code: 'atlas-missing' })
    workspace.failing.clear()
    await undo.undo()
    expect(page.detail?.tags).toEqual([])
  })

  it('does not offer to take back a tag that was there before', async () => {
    const page = useFeature()
    const list = useFeatureList()
    const undo = useUndo()
    await list.open(1)
    await page.open(1, 3)
    await page.addTag('loud')
    list.toggle(3)
    list.toggle(4)
    await list.tagSelected('loud')
    await undo.undo()
    expect([3, 4].map((index) => workspace.row(index).tags.length)).toEqual([1, 0])
    list.toggle(5)
    await list.listSelected('Mine')
    expect(list.lists).toMatchObject([{ name: 'Mine', count: 1 }])
  })

  it('saves a label, and keeps the draft of each feature until then', async () => {
    const page = useFeature()
    await page.open(1, 3)
    page.draft = 'half a thou'
    await page.open(1, 4)
    expect(page.draft).toBeUndefined()
    await page.open(1, 3)
    expect(page.draft).toBe('half a thou')
    workspace.failing.set('features.label', failure)
    expect(await page.saveLabel('half a thought')).toBe(false)
    expect(page.changeError).toMatchObject({ code: 'atlas-missing' })
    expect(page.draft).toBe('half a thou')
    workspace.failing.clear()
    expect(await page.saveLabel('half a thought')).toBe(true)
    expect([page.draft, page.detail?.label, page.changeError]).toEqual([undefined, 'half a thought', null])
  })

  it('adds and removes tags and safety flags', async () => {
    const page = useFeature()
    await page.open(1, 3)
    await page.addTag('code')
    expect(page.detail?.tags.map((tag) => tag.name)).toEqual(['code'])
    await page.removeTag(page.detail!.tags[0]!)
    expect(page.detail?.tags).toEqual([])
    await page.assign('politics', 'names of parties')
    expect(page.detail?.safety).toMatchObject([{ category: 'politics', reason: 'names of parties' }])
    await page.removeFlag(page.detail!.safety[0]!.id)
    expect(page.detail?.safety).toEqual([])
  })

  it('says why a feature cannot be shown', async () => {
    const page = useFeature()
    await page.open(1, 5000)
    expect(page.error).toMatchObject({ code: 'not-found' })
    expect(page.detail).toBeNull()
  })
})

describe('prompt search', () => {
  it('starts with two prompts to fire on and one to stay silent on, and asks with those that hold text', async () => {
    const search = usePromptSearch()
    expect(search.prompts.map((prompt) => prompt.sign)).toEqual(['positive', 'positive', 'negative'])
    expect(search.canSearch).toBe(false)
    search.prompts[0]!.text = 'The cat'
    search.prompts[2]!.text = 'The dog'
    await search.search(1)
    expect(search.answer?.asked.map((prompt) => prompt.text)).toEqual(['The cat', 'The dog'])
    expect(search.answer?.hits[0]?.values).toEqual([1.5, 0])
  })

  it('needs a positive prompt with text', () => {
    const search = usePromptSearch()
    search.prompts[2]!.text = 'The dog'
    expect(search.canSearch).toBe(false)
    search.flip(search.prompts[2]!.id)
    expect(search.canSearch).toBe(true)
  })

  it('keeps the answer it has when the next search fails', async () => {
    const search = usePromptSearch()
    search.prompts[0]!.text = 'The cat'
    await search.search(1)
    workspace.failing.set('search.prompts', new AppError('prompt-too-long', { tokens: 900, limit: 512 }))
    await search.search(1)
    expect(search.error).toMatchObject({ code: 'prompt-too-long' })
    expect(search.answer?.matching).toBe(2)
    expect(search.isBusy).toBe(false)
  })

  it('never has fewer than one row or more than twenty', () => {
    const search = usePromptSearch()
    for (const prompt of [...search.prompts]) search.remove(prompt.id)
    expect(search.prompts).toHaveLength(1)
    for (let k = 0; k < 30; k++) search.add('negative')
    expect(search.prompts).toHaveLength(20)
  })
})

describe('safety review', () => {
  it('assigns, counts, uncovers for one visit only, and removes', async () => {
    const safety = useSafety()
    await safety.open(1, 'toxicity')
    expect(await safety.assign(30, 'insults')).toBe(true)
    expect(safety.counts.get('toxicity')).toBe(1)
    const entry = safety.entries![0]!
    expect(safety.uncovered.size).toBe(0)
    await safety.toggle(entry)
    expect(safety.uncovered.get(entry.flag.id)).toHaveLength(5)
    await safety.open(1, 'politics')
    await safety.open(1, 'toxicity')
    expect(safety.uncovered.size).toBe(0)
    await safety.remove(entry.flag.id)
    expect([safety.entries, safety.counts.get('toxicity')]).toEqual([[], 0])
  })

  it('keeps the list and says why an assignment failed', async () => {
    const safety = useSafety()
    await safety.open(1, 'toxicity')
    workspace.failing.set('safety.assign', new AppError('not-found', { what: 'feature', id: 5 }))
    expect(await safety.assign(5, 'reason')).toBe(false)
    expect(safety.changeError).toMatchObject({ code: 'not-found' })
    expect(safety.entries).toEqual([])
  })
})
