/** Both languages say the same things: equal keys, equal placeholders, and a text for every key that the code asks for. */
import { describe, expect, it } from 'vitest'
import en from '../../../src/renderer/locales/en.json'
import ko from '../../../src/renderer/locales/ko.json'

type Texts = { readonly [key: string]: string | Texts }

function flatten(texts: Texts, prefix = ''): Map<string, string> {
  const flat = new Map<string, string>()
  for (const [key, value] of Object.entries(texts)) {
    const path = prefix === '' ? key : `${prefix}.${key}`
    if (typeof value === 'string') flat.set(path, value)
    else for (const [inner, text] of flatten(value, path)) flat.set(inner, text)
  }
  return flat
}

const english = flatten(en)
const korean = flatten(ko)
const placeholders = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '').sort()

const sources = import.meta.glob<string>('../../../src/renderer/**/*.{ts,vue}', {
  query: '?raw',
  import: 'default',
  eager: true,
})
const areas = Object.keys(en).join('|')
/** Keys written out inside `t(...)` or as a `titleKey`; names of calls look alike and stand elsewhere. */
const asking = /\b(?:t\(|titleKey: )([^)\n]*)/g
const written = new RegExp(`'((?:${areas})\\.[A-Za-z0-9.]+)'`, 'g')
/** Keys with a part that is computed: \`runs.states.\${state}\`. */
const computed = new RegExp(`\`((?:${areas})\\.[A-Za-z0-9.]+)\\.\\$\\{`, 'g')

type Asked = { file: string; key: string }
const found = (pattern: RegExp): Asked[] =>
  Object.entries(sources).flatMap(([file, source]) =>
    [...source.matchAll(asking)]
      .flatMap((call) => [...(call[1] ?? '').matchAll(pattern)])
      .map((match) => ({ file: file.replace(/^(\.\.\/)+/, ''), key: match[1] ?? '' })),
  )

describe('locales', () => {
  it('have the same keys', () => {
    expect([...korean.keys()].sort()).toEqual([...english.keys()].sort())
  })

  it('have the same placeholders and no empty text', () => {
    for (const [key, text] of english) {
      const other = korean.get(key) ?? ''
      expect([key, placeholders(other)]).toEqual([key, placeholders(text)])
      expect(text.trim(), key).not.toBe('')
      expect(other.trim(), key).not.toBe('')
    }
  })

  it('keep to plain words: no exclamation marks', () => {
    expect([...english, ...korean].filter(([, text]) => text.includes('!'))).toEqual([])
  })

  it('use nothing of the message syntax but named placeholders', () => {
    const plain = (text: string) => text.replace(/\{\w+\}/g, '')
    expect([...english, ...korean].filter(([, text]) => /[{}@|]/.test(plain(text)))).toEqual([])
  })

  it('answer every key that the code writes out', () => {
    const asked = found(written)
    expect(asked.length).toBeGreaterThan(100)
    expect(asked.filter(({ key }) => !english.has(key))).toEqual([])
  })

  it('hold a group for every key that the code computes', () => {
    const asked = found(computed)
    expect(asked.length).toBeGreaterThan(10)
    const hasGroup = (group: string) => [...english.keys()].some((key) => key.startsWith(`${group}.`))
    expect(asked.filter(({ key }) => !hasGroup(key))).toEqual([])
  })
})
