/** What stands before a text: chosen for a model and kept, and for an autoencoder what stood there in its training. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { modelAsBefore, modelFor, SAE_CHECKPOINT, startFor } from '../../src/main/tasks/sae-start'
import { MODEL, temporaryFolder, temporaryStore } from '../fixtures/samples'

const TOKENS = { own: null, bos: '<|end|>' }

it('is what the tokenizer does until something else is chosen, which a folder added again does not undo', () => {
  const { models } = temporaryStore()
  const { id, textStart, startTokens } = models.add(MODEL)
  expect({ textStart, startTokens }).toEqual({ textStart: 'own', startTokens: null })
  expect(models.setTextStart(id, 'bos', TOKENS)).toMatchObject({ textStart: 'bos', startTokens: TOKENS })
  expect(models.add({ ...MODEL, startTokens: TOKENS }).textStart).toBe('bos')
  expect(models.add({ ...MODEL, startTokens: TOKENS, textStart: 'none' }).textStart).toBe('none')
  expect(models.get(id).textStart).toBe('none')
  expect(() => models.setTextStart(99, 'own', TOKENS)).toThrow(expect.objectContaining({ code: 'not-found' }))
})

it.each([
  ['says that one stood there', {}, { prepend_bos: true }, 'bos'],
  ['says that none did', {}, { prepend_bos: false }, 'none'],
  ['of an older form says so beside its sizes', { prepend_bos: false }, {}, 'none'],
  ['says nothing', {}, {}, 'own'],
  ['says something else', {}, { prepend_bos: 'yes' }, 'own'],
])('an autoencoder that %s', (_, cfg, metadata, start) => {
  expect(startFor({}, { cfg, metadata })).toBe(start)
  const chosen = { name: 'm', path: '/m', sha256: 'a', textStart: 'none' as const }
  expect(modelFor(chosen, { cfg, metadata }).textStart).toBe(start === 'own' ? 'none' : start)
})

it('is for a run that goes on what its checkpoint says, not what was chosen since', async () => {
  const folder = temporaryFolder()
  const model = { name: 'm', path: '/m', sha256: 'a', textStart: 'none' as const }
  expect(await modelAsBefore(model, folder)).toEqual(model)
  mkdirSync(join(folder, SAE_CHECKPOINT))
  const cfg = { architecture: 'standard', d_in: 4, d_sae: 8, metadata: { prepend_bos: true } }
  writeFileSync(join(folder, SAE_CHECKPOINT, 'cfg.json'), JSON.stringify(cfg))
  expect(await modelAsBefore(model, folder)).toEqual({ ...model, textStart: 'bos' })
})
