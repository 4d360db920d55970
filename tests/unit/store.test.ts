/** The store: formats and their upgrade, rows and what they refuse. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { openDb } from '../../src/main/store/db'
import { APPLICATION_ID, MIGRATIONS } from '../../src/main/store/migrate'
import { openStore } from '../../src/main/store/store'
import { addSae, configOf, DATASET, failureOf, MODEL, temporaryFolder, temporaryStore } from '../fixtures/samples'

const at = (folder: string) => ({ path: join(folder, 'workspace.sqlite'), backups: join(folder, 'backups') })

describe('formats', () => {
  it('marks a new file as ours and makes it the newest format', () => {
    const folder = temporaryFolder()
    const db = openDb(at(folder))
    expect(db.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length)
    expect(db.pragma('application_id', { simple: true })).toBe(APPLICATION_ID)
    expect(db.pragma('foreign_keys', { simple: true })).toBe(1)
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal')
    db.close()
    expect(existsSync(join(folder, 'backups'))).toBe(false)
  })

  it('keeps a backup before it changes an existing file', () => {
    const folder = temporaryFolder()
    openDb(at(folder)).close()
    const more = [...MIGRATIONS, 'CREATE TABLE extra (id INTEGER PRIMARY KEY) STRICT']
    openDb({ ...at(folder), migrations: more }).close()
    const [backup] = readdirSync(join(folder, 'backups'))
    const copy = new Database(join(folder, 'backups', backup ?? ''))
    expect(copy.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length)
    copy.close()
  })

  it('changes nothing when a migration fails, however many went before it', () => {
    const folder = temporaryFolder()
    openDb(at(folder)).close()
    const broken = [...MIGRATIONS, 'CREATE TABLE extra (id INTEGER PRIMARY KEY) STRICT', 'CREATE TABLE nonsense (']
    const failure = failureOf(() => openDb({ ...at(folder), migrations: broken }))
    expect(failure.code).toBe('migration-failed')
    expect(existsSync(String(failure.details.backup))).toBe(true)
    const db = openDb(at(folder))
    expect(db.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length)
    expect(db.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'extra'").pluck().get()).toBe(0)
    db.close()
  })

  it('refuses a workspace from the future and leaves it as it is', () => {
    const folder = temporaryFolder()
    const db = openDb(at(folder))
    db.pragma('user_version = 99')
    db.close()
    const before = readFileSync(at(folder).path)
    expect(failureOf(() => openDb(at(folder)))).toMatchObject({
      code: 'workspace-too-new',
      details: { found: 99, known: MIGRATIONS.length },
    })
    expect(readFileSync(at(folder).path).equals(before)).toBe(true)
  })

  it('leaves a damaged file as it is, byte for byte', () => {
    const folder = temporaryFolder()
    const garbage = Buffer.alloc(8192, 'this is no database')
    writeFileSync(at(folder).path, garbage)
    const failure = failureOf(() => openDb(at(folder)))
    expect(failure.code).toBe('workspace-damaged')
    expect(readFileSync(at(folder).path).equals(garbage)).toBe(true)
  })

  it('finds damage inside a file that a killed process left', () => {
    const folder = temporaryFolder()
    const { path } = at(folder)
    const store = openStore({ ...at(folder), folder })
    for (let i = 0; i < 200; i++) store.settings.set(`key ${i}`, 'x'.repeat(500))
    store.close()
    const bytes = readFileSync(path)
    bytes.fill(0xff, 4096 * 10, 4096 * 60)
    writeFileSync(path, bytes)
    // A write-ahead log that is still there tells of the kill.
    writeFileSync(`${path}-wal`, Buffer.alloc(32))
    expect(failureOf(() => openDb(at(folder))).code).toBe('workspace-damaged')
  })

  it("refuses another program's database without touching it", () => {
    const folder = temporaryFolder()
    const other = new Database(at(folder).path)
    other.exec('CREATE TABLE theirs (id INTEGER)')
    other.close()
    expect(failureOf(() => openDb(at(folder))).code).toBe('file-corrupt')
    expect(readdirSync(folder)).toContain('workspace.sqlite')
  })
})

describe('library', () => {
  it('returns the model that is there when the same folder comes again', () => {
    const store = temporaryStore()
    const first = store.models.add(MODEL)
    expect(store.models.add({ ...MODEL, name: 'other' })).toEqual(first)
    expect(store.models.add({ ...MODEL, sha256: 'changed' }).id).not.toBe(first.id)
    expect(store.datasets.add(DATASET)).toEqual(store.datasets.add(DATASET))
    expect(store.datasets.add({ ...DATASET, textField: 'story' }).id).toBe(2)
    expect(store.datasets.add({ ...DATASET, deduplicate: true }).id).toBe(3)
  })

  it('remembers the tokens of a dataset for every model, the last count', () => {
    const store = temporaryStore()
    const { id: modelId } = store.models.add(MODEL)
    const { id } = store.datasets.add(DATASET)
    store.datasets.setTokenCount(id, { modelId, tokens: 5, isExact: false })
    store.datasets.setTokenCount(id, { modelId, tokens: 7, isExact: true })
    expect(store.datasets.get(id).tokenCounts).toEqual([{ modelId, tokens: 7, isExact: true }])
    store.models.remove(modelId)
    expect(store.datasets.list()[0]?.tokenCounts).toEqual([])
  })

  it('refuses to remove what is used', () => {
    const store = temporaryStore()
    const { model, dataset } = addSae(store, 8)
    expect(failureOf(() => store.models.remove(model.id))).toMatchObject({ code: 'in-use', details: { users: 'sae' } })
    store.datasets.remove(dataset.id)
    expect(failureOf(() => store.datasets.get(dataset.id)).code).toBe('not-found')
  })
})

describe('runs', () => {
  it('takes state and progress from its job', () => {
    const store = temporaryStore()
    const { model, dataset } = addSae(store, 8)
    const runId = store.runs.add('one', configOf(model.id, dataset.id))
    expect(store.runs.get(runId)).toMatchObject({ steps: 5, state: 'interrupted', jobId: null })
    const job = store.jobs.add({
      ...{ kind: 'train', runId, saeId: null, datasetId: dataset.id, title: 'one', chained: true, total: 5 },
    })
    store.jobs.start(job.id)
    store.jobs.progress(job.id, 3, 5, 12.5)
    expect(store.runs.get(runId)).toMatchObject({ state: 'running', step: 3, tokensPerSecond: 12.5, jobId: job.id })
    store.jobs.end(job.id, 'failed', { code: 'worker-crashed', message: 'm', details: { step: 3 } })
    store.jobs.end(job.id, 'done')
    expect(store.runs.get(runId)).toMatchObject({ state: 'failed', failure: { code: 'worker-crashed' } })
    store.runs.remove(runId)
    expect(store.jobs.list()).toEqual([])
  })

  it('keeps metric points in order and leaves out those that are no numbers', () => {
    const store = temporaryStore()
    const { model, dataset } = addSae(store, 8)
    const runId = store.runs.add('one', configOf(model.id, dataset.id))
    const point = (step: number, loss: number) => ({
      ...{ step, tokens: step, loss, mse: 1, l1: 1, l0: 1, explainedVariance: null, heldOutL0: 2 },
      ...{ deadFraction: 0, learningRate: 0.1, aux: null, gradientNorm: 1, route: 'sparse' as const },
    })
    store.metrics.add(runId, [point(2, 1), point(1, 2), point(3, Number.NaN)])
    expect(store.metrics.after(runId, -1).map(({ step }) => step)).toEqual([1, 2])
    expect(store.metrics.after(runId, 1)).toEqual([point(2, 1)])
  })

  it('puts chained atlases before older waiting jobs', () => {
    const store = temporaryStore()
    const { sae, dataset } = addSae(store, 8)
    const job = { runId: null, saeId: sae.id, datasetId: dataset.id, title: 'x', total: 0 }
    store.jobs.add({ ...job, kind: 'train', chained: true })
    const chained = store.jobs.add({ ...job, kind: 'atlas', chained: true })
    expect(store.jobs.next()?.job.id).toBe(chained.id)
  })

  it('stores paths inside the workspace relative to it, so that a copied folder works', () => {
    const folder = temporaryFolder()
    const store = temporaryStore(folder)
    const { model } = addSae(store, 8)
    const runId = store.runs.add('one', configOf(model.id, 1))
    const path = join(folder, 'runs', '1', 'sae')
    const sae = store.saes.put({ ...store.saes.get(1), runId, path, partial: true })
    expect(sae).toMatchObject({ path, partial: true, runId })
    const again = store.saes.put({ ...sae, sha256: 'new', partial: false })
    expect(again).toMatchObject({ id: sae.id, partial: false, sha256: 'new' })
    const db = new Database(join(folder, 'workspace.sqlite'), { readonly: true })
    expect(db.prepare('SELECT path FROM sae WHERE run_id = ?').pluck().get(runId)).toBe('runs/1/sae')
    db.close()
  })
})
