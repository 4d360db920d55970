/** A file given in place of a model folder is named for what it is. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { checkModel } from '../../src/main/engine/lm'

const folder = mkdtempSync(join(tmpdir(), 'model-folder-'))
afterAll(() => rmSync(folder, { recursive: true }))
const put = (name: string, text: string) => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

describe('checkModel', () => {
  it.each([
    ['model.gguf', 'GGUF\u0003', 'model-gguf'],
    ['MODEL.GGUF', '', 'model-gguf'],
    ['renamed.bin', 'GGUF\u0003', 'model-gguf'],
    ['model.safetensors', '{}', 'model-not-folder'],
    ['empty', '', 'model-not-folder'],
  ])('answers the file %s (%j) with %s', async (name, text, code) => {
    const path = put(name, text)
    await expect(checkModel(path)).rejects.toMatchObject({ code, details: { path } })
  })

  it('names the GGUF file of a folder that has nothing else', async () => {
    mkdirSync(join(folder, 'only'))
    const path = put('only/q4.gguf', 'GGUF')
    await expect(checkModel(join(folder, 'only'))).rejects.toMatchObject({ code: 'model-gguf', details: { path } })
  })

  it('tells a folder without config.json from a folder that is not there', async () => {
    mkdirSync(join(folder, 'bare'))
    put('bare/notes.txt', 'x')
    await expect(checkModel(join(folder, 'bare'))).rejects.toMatchObject({ code: 'model-config-missing' })
    for (const gone of ['gone', 'empty/below-a-file']) {
      const path = join(folder, gone)
      await expect(checkModel(path)).rejects.toMatchObject({ code: 'model-folder-missing', details: { path } })
    }
  })

  it.each(['pytorch_model.bin', 'pytorch_model-00001-of-00002.bin', 'consolidated.00.pth'])(
    'says what to do with weights in %s alone',
    async (file) => {
      const path = join(folder, `pickled-${file}`)
      mkdirSync(path)
      for (const name of ['config.json', file]) writeFileSync(join(path, name), '{}')
      await expect(checkModel(path)).rejects.toMatchObject({ code: 'model-pickle', details: { path, file } })
      writeFileSync(join(path, 'model.safetensors'), 'x')
      await expect(checkModel(path)).rejects.not.toMatchObject({ code: 'model-pickle' })
    },
  )
})
