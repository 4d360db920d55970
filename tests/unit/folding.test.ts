/** Names and labels in any script: composed or not and in any case they are one, in tags, lists, views and searches, also those of older workspaces. */
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { openDb } from '../../src/main/store/db'
import { MIGRATIONS } from '../../src/main/store/migrate'
import { join } from 'node:path'
import { composed, folded } from '../../src/shared/folding'
import { plainLine } from '../../src/shared/plain-text'
import { indexes, query, withAtlas } from '../fixtures/atlas-store'
import { temporaryFolder } from '../fixtures/samples'

/** The same words: composed, in parts, in capitals. */
const SAME = [
  ['café', 'cafe\u0301', 'CAFÉ', 'CAFE\u0301'],
  ['한글', '\u1112\u1161\u11ab\u1100\u1173\u11af'],
  ['Straße', 'STRASSE', 'strasse'],
  ['Привет', 'ПРИВЕТ'],
  ['ΟΔΟΣ', 'οδος', 'οδοσ'],
  ['ﬁn', 'FIN'],
  ['Å', 'A\u030a', '\u212b', 'å'],
]

describe.each(SAME)('%s', (...forms) => {
  const [first = ''] = forms
  it('is one tag, one list, one view', async () => {
    const { store, saeId } = await withAtlas(6)
    forms.forEach((form, at) => {
      store.tags.put(saeId, [at], form)
      store.lists.put(saeId, [at], form)
      store.savedViews.save(form, `at=${at}`)
    })
    expect(store.tags.list(saeId)).toMatchObject([{ name: first, count: forms.length }])
    expect(store.lists.all(saeId)).toMatchObject([{ name: first, count: forms.length }])
    expect(store.savedViews.list()).toMatchObject([{ name: first, query: `at=${forms.length - 1}` }])
    const { id } = store.tags.put(saeId, [0], 'another')
    expect(() => store.tags.change(id, { name: forms.at(-1) ?? '', color: 1, category: '' })).toThrow(
      expect.objectContaining({ code: 'tag-exists' }),
    )
  })
  it('is found in a label in every form, whole and by two letters', async () => {
    const { store, saeId } = await withAtlas(6)
    store.labels.choose(saeId, 2, composed(`about ${first} here`), 'me')
    for (const form of forms) {
      for (const part of [form, Array.from(composed(form)).slice(0, 2).join('')]) {
        expect(indexes(store, query(saeId, {}, { text: part }))).toEqual([2])
      }
    }
  })
})

it('is composed at the door', () => {
  expect(plainLine(10).parse(' cafe\u0301 ')).toBe('café')
  // A limit counts what is stored: 4 characters, not 5.
  expect(plainLine(4).parse('cafe\u0301')).toBe('café')
})

it('folds what a text can hold without changing it twice', () => {
  for (const text of [...SAME.flat(), 'İstanbul', '👩‍👩‍👧', '\ud800', 'ǆ Ǆ', 'ŉ', ''])
    expect(folded(folded(text))).toBe(folded(text))
})

/** A row of number 1 that holds as little as its table allows. */
function addRow(db: Database.Database, table: string): void {
  const columns = db
    .prepare<[string], { name: string; type: string }>(
      'SELECT name, type FROM pragma_table_info(?) WHERE "notnull" = 1 AND dflt_value IS NULL AND pk = 0',
    )
    .all(table)
  const values = columns.map(({ type }) => (type === 'INTEGER' ? 1 : 'x'))
  const names = ['id', ...columns.map(({ name }) => name)].join(', ')
  db.prepare(`INSERT INTO ${table} (${names}) VALUES (1${', ?'.repeat(values.length)})`).run(...values)
}

it('older workspaces: tags and lists of one name become one with the features of all, views stay', () => {
  const folder = temporaryFolder()
  const at = { path: join(folder, 'workspace.sqlite'), backups: join(folder, 'backups') }
  openDb({ ...at, migrations: MIGRATIONS.slice(0, 13) }).close()
  const old = new Database(at.path)
  old.pragma('foreign_keys = OFF')
  addRow(old, 'model')
  addRow(old, 'sae')
  const tag = old.prepare('INSERT INTO tag (id, name, color) VALUES (?, ?, 1)')
  const on = old.prepare('INSERT INTO feature_tag (sae_id, feature_index, tag_id) VALUES (1, ?, ?)')
  tag.run(1, 'cafe\u0301')
  tag.run(2, 'café')
  tag.run(3, 'CAFÉ')
  tag.run(4, 'tea')
  for (const [feature, id] of [[5, 1], [5, 2], [6, 2], [7, 3], [8, 4]]) on.run(feature, id) // prettier-ignore
  old.exec(`INSERT INTO list (id, name, created_at) VALUES (1, 'Über', 't'), (2, 'über', 't');
    INSERT INTO list_feature (list_id, sae_id, feature_index, added_at) VALUES (1, 1, 1, 't'), (2, 1, 2, 't');
    INSERT INTO saved_view (id, name, query, created_at) VALUES (1, 'Ärger', 'a', 't'), (2, 'ärger', 'b', 't');
    INSERT INTO note (sae_id, feature_index, text, author, created_at) VALUES (1, 1, 'cafe' || char(769), '', 't');`)
  old.close()
  const db = openDb(at)
  const all = (sql: string) => db.prepare(sql).raw().all()
  expect(all('SELECT id, name FROM tag ORDER BY id')).toEqual([[1, 'café'], [4, 'tea']]) // prettier-ignore
  expect(all('SELECT tag_id, feature_index FROM feature_tag ORDER BY 1, 2')).toEqual([[1, 5], [1, 6], [1, 7], [4, 8]]) // prettier-ignore
  expect(all('SELECT id, name FROM list')).toEqual([[1, 'Über']])
  expect(all('SELECT feature_index FROM list_feature ORDER BY 1')).toEqual([[1], [2]])
  expect(all('SELECT name, query FROM saved_view ORDER BY id')).toEqual([['Ärger', 'a'], ['ärger (2)', 'b']]) // prettier-ignore
  expect(all('SELECT text FROM note')).toEqual([['café']])
  db.close()
})
