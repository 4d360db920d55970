/** What happens to a workspace whose database is damaged: refused as it is, and repaired with everything people wrote. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs' // prettier-ignore
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { missingBesideDamaged, openDb } from '../../src/main/store/db'
import { peopleCopies } from '../../src/main/store/people-copy'
import { repairDatabase } from '../../src/main/store/repair'
import { openStore } from '../../src/main/store/store'
import { withAtlas } from '../fixtures/atlas-store'
import { addSae, configOf, failureOf, temporaryFolder, temporaryStore } from '../fixtures/samples'

const at = (folder: string) => ({ path: join(folder, 'workspace.sqlite'), backups: join(folder, 'backups') })

/** A closed workspace with 300 labels and one of everything else that people write, and the copy that a clean close makes. */
async function written(): Promise<string> {
  const folder = temporaryFolder()
  const { store, saeId } = await withAtlas(300, folder)
  store.together(() => {
    for (let i = 0; i < 300; i++) store.labels.choose(saeId, i, `label ${i} 가나다`, 'someone')
  })
  store.tags.put(saeId, [1, 2], 'Animals')
  store.lists.put(saeId, [3, 4], 'Mine')
  store.notes.add(saeId, 5, { text: 'a note', author: 'someone' })
  store.safety.assign({ saeId, featureIndex: 6, category: 'politics', reason: 'because' })
  store.savedViews.save('a view', 'state=alive')
  store.copyPeople()
  store.close()
  return folder
}

/** What else was written, as the store gives it. */
function othersOf(folder: string) {
  const store = openStore({ ...at(folder), folder })
  const saeId = store.saes.list()[0]?.id ?? 0
  const found = {
    tags: store.tags.list(saeId).map(({ name, count }) => [name, count]),
    lists: store.lists.all(saeId).map(({ name, count }) => [name, count]),
    notes: store.notes.of(saeId, 5).map(({ text }) => text),
    flags: store.safety.ofFeature(saeId, 6).map(({ reason }) => reason),
    views: store.savedViews.list().map(({ name }) => name),
  }
  store.close()
  return found
}

const OTHERS = {
  tags: [['Animals', 2]],
  lists: [['Mine', 2]],
  notes: ['a note'],
  flags: ['because'],
  views: ['a view'],
}

/** Overwrites pages of the file from its middle on. */
function damage(path: string, from = 0.2, to = 0.9): void {
  const bytes = readFileSync(path)
  bytes.fill(0xff, Math.floor((from * bytes.length) / 4096) * 4096, Math.floor((to * bytes.length) / 4096) * 4096)
  writeFileSync(path, bytes)
}

const labelsOf = (folder: string): string[] => {
  const db = new Database(at(folder).path, { readonly: true })
  const texts = db.prepare<[], string>('SELECT text FROM label WHERE chosen = 1 ORDER BY feature_index').pluck().all()
  db.close()
  return texts
}

const ALL = Array.from({ length: 300 }, (_, i) => `label ${i} 가나다`)

describe('a damaged database', () => {
  it('is refused again at every start and never replaced by an empty one', async () => {
    const folder = await written()
    const { path } = at(folder)
    writeFileSync(path, Buffer.alloc(65536, 'this is no database'))
    const before = readFileSync(path)
    for (let start = 0; start < 2; start++) expect(failureOf(() => openDb(at(folder))).code).toBe('workspace-damaged')
    expect(readFileSync(path).equals(before)).toBe(true)
    // As an older version left it: put aside, with nothing in its place.
    renameSync(path, `${path}.damaged-2026-01-01`)
    expect(missingBesideDamaged(path)).toContain('.damaged-2026-01-01')
    expect(failureOf(() => openDb(at(folder))).code).toBe('workspace-damaged')
    expect(existsSync(path)).toBe(false)
  })

  it('gives everything back that was written, from the file and from the copy', { timeout: 60_000 }, async () => {
    for (const [from, to] of [
      [0.2, 0.9],
      [0.05, 0.4],
      [0.6, 1],
      [0, 1],
    ] as const) {
      const folder = await written()
      const { path } = at(folder)
      damage(path, from, to)
      const damaged = readFileSync(path)
      const repaired = repairDatabase(at(folder))
      expect(readFileSync(repaired.keptAs ?? '').equals(damaged)).toBe(true)
      expect(labelsOf(folder)).toEqual(ALL)
      expect(othersOf(folder)).toEqual(OTHERS)
    }
  })

  it('gives back what the file still has where there is no copy', async () => {
    const folder = await written()
    for (const copy of peopleCopies(at(folder).backups)) rmSync(copy)
    const db = new Database(at(folder).path)
    // One page in the middle of the labels' own tree.
    const { page } = db
      .prepare<[], { page: number }>(
        "SELECT pageno AS page FROM dbstat WHERE name = 'label' AND pagetype = 'leaf' LIMIT 1 OFFSET 2",
      )
      .get() ?? { page: 0 }
    db.pragma('wal_checkpoint(TRUNCATE)')
    db.close()
    const bytes = readFileSync(at(folder).path)
    bytes.fill(0xff, 4096 * (page - 1), 4096 * page)
    writeFileSync(at(folder).path, bytes)
    repairDatabase(at(folder))
    const left = labelsOf(folder)
    // A leaf of 4,096 bytes holds fewer than 100 of them; both sides of it are read.
    expect(left.length).toBeGreaterThan(200)
    expect(left[0]).toBe(ALL[0])
    expect(left.at(-1)).toBe(ALL.at(-1))
  })

  it('goes on from where a repair was cut off between its two renames', async () => {
    const folder = await written()
    const { path } = at(folder)
    damage(path)
    copyFileSync(path, `${path}.repaired.part`)
    renameSync(path, `${path}.damaged-2026-01-01`)
    expect(repairDatabase(at(folder)).keptAs).toBeNull()
    expect(labelsOf(folder)).toEqual(ALL)
  })

  it('is not repaired when nothing is wrong with it', async () => {
    const folder = await written()
    expect(failureOf(() => repairDatabase(at(folder))).code).toBe('workspace-sound')
    expect(labelsOf(folder)).toEqual(ALL)
  })
})

describe('the copy of what people wrote', () => {
  it('is made when something changed, and the newest seven are kept', async () => {
    const folder = temporaryFolder()
    const { store, saeId } = await withAtlas(4, folder)
    const names = () => readdirSync(join(folder, 'backups')).filter((name) => name.startsWith('written-'))
    for (let i = 0; i < 10; i++) {
      store.labels.choose(saeId, 0, `label ${i}`, 'someone')
      store.copyPeople()
      store.copyPeople()
      // Names are times to the millisecond.
      const until = Date.now() + 2
      while (Date.now() < until);
    }
    expect(names()).toHaveLength(7)
    expect(readFileSync(peopleCopies(join(folder, 'backups'))[0] ?? '', 'utf8')).toContain('label 9')
    store.close()
  })
})

describe('new numbers', () => {
  it('lie above the folders that are there, whatever the database knows', () => {
    const folder = temporaryFolder()
    for (const name of ['runs/7', 'runs/12', 'runs/notes', 'saes/3', 'activations/5']) {
      mkdirSync(join(folder, name), { recursive: true })
    }
    const store = temporaryStore(folder)
    const { model, dataset, sae } = addSae(store, 4)
    expect(store.runs.add('run', configOf(model.id, dataset.id))).toBe(13)
    expect(sae.id).toBe(4)
    store.close()
  })
})
