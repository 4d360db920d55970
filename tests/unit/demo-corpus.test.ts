/** The corpus of the demo: cleaning, what is left out as repeated, pages of every kind of source, and what is generated. */
import { describe, expect, it } from 'vitest'
import { cleanText, joinBlocks, normalForm } from '../../scripts/demo/corpus/clean'
import { codeBlocks, codePages } from '../../scripts/demo/corpus/extract/code'
import { generatedPages } from '../../scripts/demo/corpus/extract/generated'
import { HANDBOOK_RULES, HELP_RULES, htmlBlocks, PYTHON_RULES } from '../../scripts/demo/corpus/extract/html'
import { chapters, glossPages, prosePage } from '../../scripts/demo/corpus/extract/plain'
import { figuresOf, sourcesTable } from '../../scripts/demo/corpus/figures'
import { SeenBlocks, Shingles } from '../../scripts/demo/corpus/repeated'
import { SOURCES } from '../../scripts/demo/corpus/sources'

describe('cleaning', () => {
  it('composes characters, drops what cannot be seen, and keeps at most one empty line', () => {
    expect(cleanText('\n\n\u1100\u1161\u200b  \r\nx\u0007y \t\n\n\n\nz\u00a0q\n')).toBe('가\nxy\n\nz q')
  })

  it('joins blocks up to a length and cuts what is longer, at lines first, never inside a character', () => {
    expect(joinBlocks(['aa', 'bb', 'cc'], 6)).toEqual(['aa\n\nbb', 'cc'])
    expect(joinBlocks(['one two\nthree four'], 10)).toEqual(['one two', 'three four'])
    expect(joinBlocks(['one two three'], 9)).toEqual(['one two', 'three'])
    expect(joinBlocks(['abc😀def'], 4)).toEqual(['abc', '😀de', 'f'])
    expect(joinBlocks([], 4)).toEqual([])
  })

  it('takes texts that differ in numbers, case and space for the same', () => {
    expect(normalForm(' Page 12\n of  345')).toBe(normalForm('page 7 OF 1'))
  })
})

describe('repetitions', () => {
  const long = 'this sentence is long enough to be noticed when it comes again'

  it('lets a block through once, and short ones always', () => {
    const seen = new SeenBlocks()
    expect([seen.take(long), seen.take(long.toUpperCase()), seen.take('ok'), seen.take('ok')]).toEqual([
      ...[true, false, true, true],
    ])
    expect([seen.has(long), seen.has('never taken, and long enough to be remembered if it had been')]).toEqual([
      true,
      false,
    ])
  })

  it('tells which share of a text is known from others', () => {
    const words = (from: number, count: number) =>
      Array.from(
        { length: count },
        (_, i) =>
          `word${'abcdefghij'[(from + i) % 10] ?? ''}${'klmnop'[((from + i) % 7) % 6] ?? ''}${(from + i).toString(26).replace(/\d/g, 'z')}`,
      ).join(' ')
    const shingles = new Shingles()
    shingles.add(words(0, 2000))
    expect(shingles.shareOf(words(0, 2000))).toBe(1)
    expect(shingles.shareOf('two words')).toBe(0)
    const half = shingles.shareOf(`${words(0, 1000)} ${words(50_000, 1000)}`)
    expect(half).toBeGreaterThan(0.3)
    expect(half).toBeLessThan(0.7)
  })

  it('reads scripts without spaces by their characters', () => {
    const shingles = new Shingles()
    const text = Array.from({ length: 600 }, (_, i) => String.fromCodePoint(0x4e00 + ((i * 7919) % 5000))).join('')
    shingles.add(text)
    expect(shingles.shareOf(text)).toBe(1)
    expect(shingles.shareOf(Array.from(text).reverse().join(''))).toBe(0)
  })
})

describe('pages in HTML', () => {
  it('keeps what a help page says and leaves out its frame, its related topics and the keys of another system', () => {
    const html = `<html><head><title>No</title></head><body><p>frame</p><div id="DisplayArea"><h1>Filter</h1>
      <p>Press <span class="MAC">Command</span><b>Ctrl</b> &amp;
      wait.</p><pre>a = 1
  b = 2</pre><div class="relatedtopics"><p>See also</p></div><script>no()</script></div><footer><p>debug</p></footer></body></html>`
    expect(htmlBlocks(html, HELP_RULES)).toEqual(['Filter', 'Press Ctrl & wait.', 'a = 1\n  b = 2'])
  })

  it('takes paragraphs of other manuals by their class, and ends a block where another begins in it', () => {
    const html =
      '<body><div id="banner"><p>x</p></div><div class="para">One <div class="para">two</div> on</div><p>three<img>!</p></body>'
    expect(htmlBlocks(html, HANDBOOK_RULES)).toEqual(['One', 'two', 'on', 'three!'])
    expect(htmlBlocks('<div class="body"><h1>T<a class="headerlink">¶</a></h1><p>x</p></div>', PYTHON_RULES)).toEqual([
      'T',
      'x',
    ])
  })

  it('gives nothing for a page without a body, or a broken one', () => {
    expect(htmlBlocks('<p>no body</p>', HELP_RULES)).toEqual([])
    expect(htmlBlocks('<div id="DisplayArea"><p>open', HELP_RULES)).toEqual(['open'])
  })
})

describe('other pages', () => {
  it('joins the lines of paragraphs', () => {
    expect(prosePage('k', 'a\nb\n\n c \n')).toEqual({ key: 'k', blocks: ['a b', 'c'] })
  })

  it('puts verses into their chapters', () => {
    expect(chapters('Ge1:1 In the beginning.\nGe1:2 And.\nnoise\n1Sam2:1 Then.\n')).toEqual([
      { key: 'Ge1', blocks: ['1 In the beginning.', '2 And.'] },
      { key: '1Sam2', blocks: ['1 Then.'] },
    ])
  })

  it('reads words and gloss of a dictionary line', () => {
    const line =
      '00008435 29 v 03 wink 1 blink 1 blink_away 0 003 @ 00462092 v 0000 | force to go away by blinking; "x"  '
    expect(glossPages('v', `  1 licence\n${line}\n`)[0]?.blocks).toEqual([
      'wink, blink, blink away (verb): force to go away by blinking; "x"',
    ])
  })

  it('parts code at empty lines, and an amalgamation at its files; minified blocks are left out', () => {
    expect(codeBlocks(`a\nb\n \nc\n\n${'x'.repeat(500)}`)).toEqual(['a\nb', 'c'])
    const begin = (name: string) => `/************** Begin file ${name} ****************/`
    const pages = codePages('sqlite', `top\n${begin('a.c')}\nint a;\n${begin('b.c')}\nint b;\n`)
    expect(pages).toEqual([
      { key: 'sqlite a.c', blocks: ['int a;'] },
      { key: 'sqlite b.c', blocks: ['int b;'] },
    ])
  })
})

describe('generated pages', () => {
  it('are always the same, and differ from each other', () => {
    for (const domain of ['records', 'errors']) {
      const pages = generatedPages(domain, 200)
      expect(generatedPages(domain, 200)).toEqual(pages)
      expect(new Set(pages.map(({ blocks }) => blocks.join('\n'))).size).toBe(200)
    }
    expect(() => generatedPages('poems', 1)).toThrow('nothing is generated')
  })

  it('have sums that are right', () => {
    const text = generatedPages('records', 300)
      .flatMap(({ blocks }) => blocks)
      .join('\n')
    const found = [...text.matchAll(/^(-?\d+) ([+*-]) (\d+) = (-?\d+)$/gm)]
    expect(found.length).toBeGreaterThan(100)
    for (const [, a, sign, b, result] of found) {
      const [x, y] = [Number(a), Number(b)]
      expect(Number(result)).toBe(sign === '+' ? x + y : sign === '-' ? x - y : x * y)
    }
  })
})

describe('sources', () => {
  it('have exact versions, hashes and licences', () => {
    const names = SOURCES.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const { package: from, licence, attribution } of SOURCES) {
      expect([licence, attribution].every((text) => text.length > 1)).toBe(true)
      if (from) expect(from.sha256).toMatch(/^[0-9a-f]{64}$/)
    }
  })

  it('stand in the table with what they gave', () => {
    const [first] = SOURCES
    const documents = [{ text: 'x'.repeat(1_000_000), source: first?.name ?? '', domain: 'help', language: 'en' }]
    const figures = figuresOf(documents)
    expect(figures).toMatchObject({ documents: 1, bytes: 1_000_000, kinds: { 'help en': { bytes: 1_000_000 } } })
    const table = sourcesTable(SOURCES, { training: figures, heldOut: figuresOf([]), sample: figuresOf([]) })
    expect(table).toContain(
      `| ${first?.name ?? ''} | ${first?.package?.name ?? ''} ${first?.package?.version ?? ''} (debian) |`,
    )
    expect(table).toContain('| 1.00 | 0.00 | 0.00 |')
  })
})
