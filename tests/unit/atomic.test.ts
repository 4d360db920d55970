/** Atomic writes: whole or not at all, and what was there before survives every failure. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { recoverFolder, replaceFolder, writeError, writeFileAtomic } from '../../src/main/files/atomic'
import { readPieces, writePieces } from '../../src/main/files/pieces-file'
import { AppError } from '../../src/shared/errors'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'monoscope-atomic-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const bytes = (text: string) => new TextEncoder().encode(text)
const systemError = (code: string) => Object.assign(new Error(code), { code })

async function* failing(code: string) {
  await Promise.resolve()
  yield bytes('half of it')
  throw systemError(code)
}
async function* inParts(count: number) {
  await Promise.resolve()
  for (let i = 0; i < count; i++) yield bytes(`${i},`)
}

describe('writeFileAtomic', () => {
  it('writes bytes and streams, makes the folder, and leaves nothing else', async () => {
    const path = join(folder, 'deep/er/file')
    await writeFileAtomic(path, bytes('one'))
    expect(await readFile(path, 'utf8')).toBe('one')
    await writeFileAtomic(path, inParts(4))
    expect(await readFile(path, 'utf8')).toBe('0,1,2,3,')
    await writeFileAtomic(path, new Uint8Array())
    expect(await readFile(path, 'utf8')).toBe('')
    expect(await readdir(join(folder, 'deep/er'))).toEqual(['file'])
  })
  it.each(['ENOSPC', 'EDQUOT'])('keeps the old file when the disk is full (%s) and says so', async (code) => {
    const path = join(folder, 'file')
    await writeFileAtomic(path, bytes('old'))
    await expect(writeFileAtomic(path, failing(code))).rejects.toThrow(
      `The disk is full: ${path} could not be written. Free some space and try again; everything saved before is kept.`,
    )
    expect(await readFile(path, 'utf8')).toBe('old')
    expect(await readdir(folder)).toEqual(['file'])
  })
  it('says when a folder cannot be written', async () => {
    await writeFile(join(folder, 'plain'), 'a file, not a folder')
    const path = join(folder, 'plain', 'file')
    await expect(writeFileAtomic(path, bytes('x'))).rejects.toMatchObject({ code: 'workspace-unwritable' })
    expect(writeError(systemError('EACCES'), '/p')).toMatchObject({
      code: 'workspace-unwritable',
      message: 'The folder /p cannot be written: EACCES. Choose another folder or change its permissions.',
    })
  })
  it('passes other failures on as they are', async () => {
    const odd = systemError('EIO')
    expect(writeError(odd, '/p')).toBe(odd)
    await expect(writeFileAtomic(join(folder, 'x'), failing('EIO'))).rejects.not.toBeInstanceOf(AppError)
    expect(await readdir(folder)).toEqual([])
  })
})

describe('replaceFolder', () => {
  const make = async (name: string, text: string) => {
    await mkdir(join(folder, name, 'sub'), { recursive: true })
    await writeFile(join(folder, name, 'sub', 'file'), text)
  }
  const read = (name: string) => readFile(join(folder, name, 'sub', 'file'), 'utf8')

  it('puts a folder where none was, and replaces one that is there', async () => {
    await make('tmp', 'first')
    await replaceFolder(join(folder, 'tmp'), join(folder, 'final'))
    expect(await read('final')).toBe('first')
    await make('tmp', 'second')
    await replaceFolder(join(folder, 'tmp'), join(folder, 'final'))
    expect(await read('final')).toBe('second')
    expect(await readdir(folder)).toEqual(['final'])
  })
  it('keeps the old folder when the new one is not there', async () => {
    await make('final', 'old')
    await expect(replaceFolder(join(folder, 'tmp'), join(folder, 'final'))).rejects.toThrow('ENOENT')
    expect(await read('final')).toBe('old')
  })
  it('recovers from a crash before the new folder arrived', async () => {
    await make('final.previous', 'old')
    await recoverFolder(join(folder, 'final'))
    expect(await read('final')).toBe('old')
    expect(await readdir(folder)).toEqual(['final'])
  })
  it('recovers from a crash after the new folder arrived', async () => {
    await make('final.previous', 'old')
    await make('final', 'new')
    await recoverFolder(join(folder, 'final'))
    expect(await read('final')).toBe('new')
    expect(await readdir(folder)).toEqual(['final'])
  })
})

describe('token pieces', () => {
  const pieces = { bytes: bytes('<s> a'), offsets: Int32Array.of(0, 3, 4, 5, 5), special: Uint8Array.of(1, 0, 0, 0) }
  it('come back as they were written', async () => {
    const path = join(folder, 'pieces.safetensors')
    await writePieces(path, pieces)
    expect(await readPieces(path)).toEqual(pieces)
  })
  it.each([
    ['falling offsets', { ...pieces, offsets: Int32Array.of(0, 4, 3, 5, 5) }],
    ['a negative start', { ...pieces, offsets: Int32Array.of(-1, 3, 4, 5, 5) }],
    ['offsets beyond the bytes', { ...pieces, offsets: Int32Array.of(0, 3, 4, 5, 9) }],
    ['too few flags', { ...pieces, special: Uint8Array.of(1) }],
  ])('are refused with %s', async (_, damaged) => {
    const path = join(folder, 'pieces.safetensors')
    await writePieces(path, damaged)
    await expect(readPieces(path)).rejects.toThrow(
      `The file ${path} is not a valid token pieces file: its offsets do not fit its bytes. Copy or download it again.`,
    )
  })
})
