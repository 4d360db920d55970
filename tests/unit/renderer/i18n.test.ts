// @vitest-environment happy-dom
/** Numbers, times and failures as people of both languages read them; the choice shows on <html> and is remembered. */
import { beforeEach, describe, expect, it } from 'vitest'
import { nextTick } from 'vue'
import { AppError } from '../../../src/shared/errors'
import { sentence } from '../../../src/renderer/app/errors'
import { chooseLanguage, chooseTheme, useText } from '../../../src/renderer/app/i18n'

const text = useText()
beforeEach(() => {
  chooseLanguage('en')
  return nextTick()
})

describe('number formats', () => {
  it('count with thousands separators', () => {
    expect(text.formatCount(1234567.4)).toBe('1,234,567')
    expect(text.formatDecimal(0.82951, 3)).toBe('0.830')
  })

  it('give small shares the digits they need', () => {
    expect([0, 0.5, 0.0412, 0.00412].map(text.formatPercent)).toEqual(['0 %', '50 %', '4.12 %', '0.412 %'])
  })

  it('use decimal units for bytes', () => {
    expect([0, 999, 1000, 1_234_567, 25_300_000_000].map(text.formatBytes)).toEqual([
      '0 B',
      '999 B',
      '1 kB',
      '1.2 MB',
      '25.3 GB',
    ])
  })

  it('tell durations in the two largest units, in the chosen language', async () => {
    expect([-3, 59.4, 61, 3700].map(text.formatDuration)).toEqual(['0 s', '59 s', '1 min 1 s', '1 h 1 min'])
    chooseLanguage('ko')
    await nextTick()
    expect(text.formatDuration(61)).toMatch(/1분\s*1초/)
  })
})

describe('choices', () => {
  it('show on <html> and are remembered', async () => {
    chooseLanguage('ko')
    chooseTheme('dark')
    await nextTick()
    const root = document.documentElement
    expect([root.lang, root.classList.contains('dark'), root.classList.contains('light')]).toEqual(['ko', true, false])
    expect([localStorage.getItem('monoscope-language'), localStorage.getItem('monoscope-theme')]).toEqual([
      'ko',
      'dark',
    ])
    chooseTheme('light')
    await nextTick()
    expect([root.classList.contains('dark'), root.classList.contains('light')]).toEqual([false, true])
  })
})

describe('failures', () => {
  const failure = new AppError('file-missing', { path: 'config.json' })

  it('become one sentence of the chosen language', () => {
    expect(sentence(failure)).toBe('The file config.json does not exist. Check the path, or copy the file back.')
    chooseLanguage('ko')
    expect(sentence(failure)).toContain('config.json 파일이 없습니다')
  })

  it('keep the message of a code that this version does not know', () => {
    expect(sentence({ code: 'from-the-future', message: 'Plain words.', details: {} })).toBe('Plain words.')
  })

  it('wrap anything else that was thrown', () => {
    expect(sentence(new TypeError('x is not a function'))).toContain('x is not a function')
  })
})
