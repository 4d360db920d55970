/** Names of repositories and the small readers of the hub room. */
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rowRange } from '../../src/main/cli/hub'
import { cacheFolder } from '../../src/main/hub/cache'
import { chooseRowsFiles, isGapless, rowsFileName, rowsFiles } from '../../src/main/hub/dataset-rows'
import { chooseModelFiles, shardsOf } from '../../src/main/hub/model-files'
import { sizeText } from '../../src/main/hub/sizes'
import { isInsidePath, parseSource, sourceText } from '../../src/main/hub/source'
import { Speed } from '../../src/main/hub/speed'
import { DatasetRows } from '../../src/shared/contract/hub'

describe('parseSource', () => {
  it.each([
    ['hub:org/name', 'org/name', null],
    ['org/name', 'org/name', null],
    [' EleutherAI/pythia-70m@step1000 ', 'EleutherAI/pythia-70m', 'step1000'],
    ['o/n.1_x@refs/pr/3', 'o/n.1_x', 'refs/pr/3'],
  ])('reads %s', (text, name, revision) => {
    expect(parseSource(text)).toEqual({ name, revision })
  })

  it.each([
    ...[
      '',
      'name',
      'a/b/c',
      'hub:',
      'hub:a',
      '../etc',
      'a/..',
      'a/.b',
      'a/b-',
      'a--b/c',
      'a/b..c',
      'a b/c',
      'a/b@',
      'a/b@../x',
    ],
    ...[
      'a/b@x/../y',
      'a/b@/x',
      'a/b@x//y',
      'a/b@.git',
      'a/b@x.',
      'a/b@x\\y',
      'a/b?x',
      'a/b#c',
      'a%2f/b',
      `a/${'b'.repeat(97)}`,
    ],
    ...['https://a/b', 'a\\b/c', 'a/b\u0000', 'a/b@x y', 'a@b/c'],
  ])('refuses %j', (text) => {
    expect(() => parseSource(text)).toThrow(expect.objectContaining({ code: 'hub-source-invalid' }))
  })

  it('lets nothing through that leaves its folder', () => {
    const piece = fc.constantFrom('a', 'org', '..', '.', '/', '@', '--', '-', '\\', 'hub:', '%2e', 'x.y', ' ')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        let source
        try {
          source = parseSource(pieces.join(''))
        } catch {
          return
        }
        expect(join('root', sourceText(source).replace('@', '/')).split(/[/\\]/)).not.toContain('..')
        expect(source.name.split('/')).toHaveLength(2)
        expect(source.name).not.toContain('--')
      }),
    )
  })
})

describe('isInsidePath', () => {
  it.each(['config.json', 'a/b/c.parquet', '한국어/파일.json'])('takes %s', (path) =>
    expect(isInsidePath(path)).toBe(true),
  )
  it.each(['', '/a', 'a/../b', '../a', 'a//b', './a', 'a\\b', 'C:a', 'a\u0000'])('refuses %j', (path) => {
    expect(isInsidePath(path)).toBe(false)
  })
})

describe('cacheFolder', () => {
  const home = join('/', 'home', 'me')
  it.each([
    [{}, join(home, '.cache', 'huggingface', 'hub')],
    [{ HF_HUB_CACHE: '' }, join(home, '.cache', 'huggingface', 'hub')],
    [{ XDG_CACHE_HOME: '/x' }, '/x/huggingface/hub'],
    [{ HF_HOME: '/h', XDG_CACHE_HOME: '/x' }, '/h/hub'],
    [{ HF_HUB_CACHE: '/c', HF_HOME: '/h' }, '/c'],
    [{ HF_HUB_CACHE: '~/models' }, join(home, 'models')],
  ])('%j', (env, folder) => expect(cacheFolder(env, home)).toBe(folder))
})

describe('model files', () => {
  const base = ['config.json', 'tokenizer.json', 'README.md', 'pytorch_model.bin', 'tokenizer_config.json']

  it('prefers one weight file to shards and takes nothing else', () => {
    const both = [...base, 'model.safetensors', 'model.safetensors.index.json', 'model-00001-of-00001.safetensors']
    expect(chooseModelFiles(both, 's')).toEqual({
      files: ['config.json', 'tokenizer_config.json', 'tokenizer.json', 'model.safetensors'],
      isSharded: false,
    })
    expect(chooseModelFiles([...base, 'model.safetensors.index.json'], 's').isSharded).toBe(true)
  })

  it('names what is missing', () => {
    expect(() => chooseModelFiles(['pytorch_model.bin', 'config.json'], 'o/n')).toThrow(
      expect.objectContaining({ details: { source: 'o/n', files: 'tokenizer.json, model.safetensors' } }),
    )
  })

  it('reads shards from the index and refuses names that are not there or lead away', () => {
    const index = (map: unknown) => Buffer.from(JSON.stringify({ weight_map: map }))
    const names = ['a.safetensors', 'b.safetensors']
    expect(shardsOf(index({ x: 'b.safetensors', y: 'a.safetensors', z: 'b.safetensors' }), names, 's')).toEqual(names)
    const bad = [
      index({ x: 'c.safetensors' }),
      index({ x: '../a.safetensors' }),
      index({}),
      Buffer.from('{'),
      index({ x: 'a.bin' }),
    ]
    for (const bytes of bad) {
      expect(() => shardsOf(bytes, [...names, 'a.bin'], 's')).toThrow(
        expect.objectContaining({ code: 'hub-files-missing' }),
      )
    }
  })
})

describe('dataset files', () => {
  it('tells configuration and split from names', () => {
    const uploaded = [
      ...[
        'data/train-00000-of-00002.parquet',
        'data/train-00001-of-00002.parquet',
        'data/validation-00000-of-00001.parquet',
      ],
      ...['en/test/part.parquet', 'ko/train-00000-of-00001.parquet', 'README.md', 'all.parquet'],
    ]
    expect(rowsFiles(uploaded, false).map(({ config, split }) => `${config}/${split}`)).toEqual([
      ...['default/train', 'default/train', 'default/train', 'default/validation', 'en/test', 'ko/train'],
    ])
    expect(rowsFiles(['default/train/0000.parquet', 'x/partial-test/0000.parquet', 'x/y.json'], true)).toEqual([
      { path: 'default/train/0000.parquet', config: 'default', split: 'train' },
      { path: 'x/partial-test/0000.parquet', config: 'x', split: 'test' },
    ])
  })

  it('says which splits there are, and needs no name for the only configuration', () => {
    const files = rowsFiles(['plain_text/train/0000.parquet', 'plain_text/test/0000.parquet'], true)
    expect(chooseRowsFiles(files, DatasetRows.parse({}), 'o/n')).toEqual([files[1]])
    const details = { source: 'o/n', config: 'default', split: 'dev', known: 'plain_text/test, plain_text/train' }
    expect(() => chooseRowsFiles(files, DatasetRows.parse({ split: 'dev' }), 'o/n')).toThrow(
      expect.objectContaining({ code: 'hub-rows-missing', details }),
    )
  })

  it('notices a gap between the files of a split', () => {
    const gapless = (...paths: string[]) => isGapless(rowsFiles(paths, false))
    expect(gapless('train-00000-of-00002.parquet', 'train-00001-of-00002.parquet')).toBe(true)
    expect(gapless('train-00000-of-00002.parquet')).toBe(false)
    expect(gapless('a/b/0001.parquet')).toBe(false)
  })

  it('names the file of the rows after all that decides them', () => {
    const repo = { name: 'org/name', commit: 'abcdef0123456789' }
    const rows = DatasetRows.parse({ config: '../x', firstRow: 5, rows: 10 })
    expect(rowsFileName(repo, rows)).toBe('org--name-..-x-train-5-10-abcdef01.jsonl')
    expect(rowsFileName(repo, { ...rows, textField: 'a/b' })).toBe('org--name-..-x-train-5-10-abcdef01-a-b.jsonl')
  })
})

describe('figures', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [1234, '1.23 kB'],
    [538e6, '538 MB'],
    [4.8e9, '4.8 GB'],
    [2e15, '2000 TB'],
  ])('%s bytes', (bytes, text) => expect(sizeText(bytes)).toBe(text))

  it.each([
    [undefined, { firstRow: 0, rows: 10_000 }],
    ['5..10', { firstRow: 5, rows: 5 }],
    ['1_000..2,000', { firstRow: 1000, rows: 1000 }],
  ])('rows %s', (text, range) => expect(rowRange(text)).toEqual(range))

  it.each(['', '5', '5..5', '9..3', 'a..b', '-1..4'])('rows %j are none', (text) => {
    expect(() => rowRange(text)).toThrow(expect.objectContaining({ code: 'invalid-input' }))
  })

  it('measures speed over the last seconds and starts anew when bytes fall back', () => {
    const speed = new Speed()
    expect(speed.note(0, 1000)).toBeNull()
    expect(speed.note(1000, 3000)).toBe(2000)
    for (let s = 2; s <= 20; s++) speed.note(s * 1000, 3000 + (s - 1) * 100)
    expect(speed.note(21_000, 5000)).toBeCloseTo(100)
    expect(speed.note(22_000, 10)).toBeNull()
  })
})
