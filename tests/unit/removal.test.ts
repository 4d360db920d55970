/** Leftovers of kills are swept at the start of a workspace; what is whole, and what a person put there, stays. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { removeFolder, sweepFolder } from '../../src/main/files/removal'
import { temporaryFolder } from '../fixtures/samples'

it('sweeps what was being written or removed, and nothing else', async () => {
  const folder = temporaryFolder()
  const put = (...parts: string[]) => {
    mkdirSync(join(folder, ...parts.slice(0, -1)), { recursive: true })
    writeFileSync(join(folder, ...parts), 'x')
  }
  put('.0a1b2c3d4e5f.part')
  put('.removed-0a1b2c3d4e5f', 'sae', 'cfg.json')
  put('.7.ab12.part', 'state.json')
  put('features.jsonl')
  put('notes.part')
  put('.hidden')
  put('3', 'sae', 'cfg.json')
  await sweepFolder(folder)
  expect(readdirSync(folder).sort()).toEqual(['.hidden', '3', 'features.jsonl', 'notes.part'])
  await sweepFolder(join(folder, 'not there'))
})

it('removes a folder with all that is in it, and one that is not there', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, '7', 'sae'), { recursive: true })
  writeFileSync(join(folder, '7', 'sae', 'cfg.json'), '{}')
  await removeFolder(join(folder, '7'))
  await removeFolder(join(folder, '8'))
  expect(readdirSync(folder)).toEqual([])
})
