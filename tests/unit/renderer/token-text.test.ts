// @vitest-environment happy-dom
/** Token highlighting: the design's rules for ground, ink, peak, white space, Hangul, focus and copying. */
import { mount, type DOMWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import TokenText from '../../../src/renderer/charts/TokenText.vue'
import { firstShown, sharePercent, toPieces } from '../../../src/renderer/charts/token-display'
import type { TokenSpan } from '../../../src/shared/domain'

const span = (text: string, value = 0, special = false): TokenSpan => ({ text, ids: [7], value, special })
/** What the checks need of a mounted component. */
type Found = { findAll(selector: string): DOMWrapper<Element>[] }
const tokens = (wrapper: Found) => wrapper.findAll('.tok') as DOMWrapper<HTMLElement>[]

describe('TokenText', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => {
    vi.useRealTimers()
    document.body.innerHTML = ''
  })

  it('sets the ground to the share of the feature maximum, never of the row', () => {
    const wrapper = mount(TokenText, { props: { spans: [span('a', 0), span('b', 2.5), span('c', 5)], max: 10 } })
    expect(tokens(wrapper).map((token) => token.element.style.getPropertyValue('--a'))).toEqual(['', '25.00', '50.00'])
  })

  it('changes the ink from 30 percent on', () => {
    const wrapper = mount(TokenText, { props: { spans: [span('a', 2.999), span('b', 3)], max: 10 } })
    expect(tokens(wrapper).map((token) => token.classes('ink'))).toEqual([false, true])
  })

  it('outlines the given peak, else the strongest token', () => {
    const spans = [span('a', 1), span('b', 4), span('c', 4)]
    const peaks = (peak?: number) =>
      tokens(mount(TokenText, { props: { spans, max: 4, peak } })).map((token) => token.classes('peak'))
    expect(peaks()).toEqual([false, true, false])
    expect(peaks(2)).toEqual([false, false, true])
    expect(peaks(-1)).toEqual([false, false, false])
  })

  it('keeps a Hangul syllable of several tokens in one span and names its parts', async () => {
    const syllable: TokenSpan = { text: '안', ids: [239, 152, 136], value: 2, special: false }
    const wrapper = mount(TokenText, { props: { spans: [syllable], max: 4 }, attachTo: document.body })
    expect(tokens(wrapper)).toHaveLength(1)
    expect(wrapper.text()).toBe('안')
    await tokens(wrapper)[0]!.trigger('focusin')
    const tip = document.querySelector('[role="tooltip"]')
    expect(tip?.textContent).toContain('239 152 136')
    expect(tip?.textContent).toContain('2.0000, 50 %')
    wrapper.unmount()
  })

  it('puts one token in the tab order and walks among those that fire', async () => {
    const spans = [span('a', 1), span('b'), span('c', 4), span('d', 2)]
    const wrapper = mount(TokenText, { props: { spans, max: 4 }, attachTo: document.body })
    expect(tokens(wrapper).map((token) => token.attributes('tabindex'))).toEqual(['-1', undefined, '0', '-1'])
    tokens(wrapper)[2]!.element.focus()
    await tokens(wrapper)[2]!.trigger('keydown', { key: 'ArrowLeft' })
    expect(document.activeElement?.textContent).toBe('a')
    await nextTick()
    await tokens(wrapper)[0]!.trigger('keydown', { key: 'End' })
    expect(document.activeElement?.textContent).toBe('d')
    expect(
      mount(TokenText, { props: { spans, max: 4, focusable: false } })
        .find('[tabindex]')
        .exists(),
    ).toBe(false)
    wrapper.unmount()
  })

  it('announces the value under the pointer after 150 ms and takes it back', async () => {
    const wrapper = mount(TokenText, { props: { spans: [span('a', 3)], max: 4 }, attachTo: document.body })
    await tokens(wrapper)[0]!.trigger('pointerover')
    vi.advanceTimersByTime(149)
    expect(wrapper.emitted('point')).toBeUndefined()
    vi.advanceTimersByTime(1)
    expect(wrapper.emitted('point')).toEqual([[3]])
    await wrapper.trigger('pointerleave')
    expect(wrapper.emitted('point')).toEqual([[3], [null]])
    wrapper.unmount()
  })

  it('copies the original text, not the glyphs', () => {
    const spans = [span(' so', 4), span('\n'), span('\t\tx', 1), span('안녕')]
    const wrapper = mount(TokenText, { props: { spans, max: 4, mode: 'line' }, attachTo: document.body })
    expect(wrapper.text()).toContain('·so')
    const range = document.createRange()
    const root = wrapper.find<HTMLElement>('.tokens').element
    range.selectNodeContents(root)
    window.getSelection()?.removeAllRanges()
    window.getSelection()?.addRange(range)
    const copied = new Map<string, string>()
    const event = Object.assign(new Event('copy', { bubbles: true, cancelable: true }), {
      clipboardData: { setData: (type: string, text: string) => copied.set(type, text) },
    })
    root.dispatchEvent(event)
    expect(copied.get('text/plain')).toBe(' so\n\t\tx안녕')
    expect(event.defaultPrevented).toBe(true)
    wrapper.unmount()
  })

  it('breaks lines only when open, and copies one newline then', () => {
    const spans = [span('a'), span('\n'), span('b')]
    const breaksIn = (mode: 'line' | 'full') =>
      mount(TokenText, { props: { spans, max: 1, mode } }).findAll('br').length
    expect(breaksIn('line')).toBe(0)
    expect(breaksIn('full')).toBe(1)
  })

  it('centres on the peak', () => {
    const spans = [span('a'), span('b', 2), span('c')]
    const wrapper = mount(TokenText, { props: { spans, max: 2, mode: 'centred' } })
    expect(wrapper.findAll('.centred > *').map((part) => part.text())).toEqual(['a', 'b', 'c'])
  })

  it('shows special tokens as chips without activation', () => {
    const wrapper = mount(TokenText, { props: { spans: [span('', 9, true), span('a', 1)], max: 9 } })
    expect(tokens(wrapper)[0]!.text()).toBe('⟨7⟩')
    expect(tokens(wrapper)[0]!.classes()).toContain('special')
    expect(tokens(wrapper)[0]!.element.style.getPropertyValue('--a')).toBe('')
  })
})

describe('toPieces', () => {
  const shown = (text: string, fires = false, whitespace = true) =>
    toPieces(text, { whitespace, open: false, fires })
      .map((piece) => (piece.kind === 'text' ? piece.text : `[${piece.glyph}]`))
      .join('')

  it('marks leading spaces of firing tokens, indents, tabs, newlines and invisible characters', () => {
    expect(shown(' cat', true)).toBe('[·]cat')
    expect(shown(' cat')).toBe(' cat')
    expect(shown('a b', true)).toBe('a b')
    expect(shown('\n  x')).toBe('[↵][·][·]x')
    expect(shown('\t')).toBe('[→]')
    expect(shown('a\u200bb\u00a0')).toBe('a[U+200B]b[U+00A0]')
  })

  it('leaves emoji sequences whole', () => {
    expect(shown('👩‍👧')).toBe('👩‍👧')
  })

  it('gives the text back from its pieces', () => {
    const text = ' a\t\n\u200b 안 녕  '
    const joined = toPieces(text, { whitespace: true, open: true, fires: true }).map((p) =>
      p.kind === 'text' ? p.text : p.original,
    )
    expect(joined.join('')).toBe(text)
  })

  it('shows no glyph when white space is off, and a newline of a one-line row as a space', () => {
    expect(shown(' a\tb', true, false)).toBe(' a\tb')
    expect(shown('a\nb', true, false)).toBe('a[ ]b')
  })
})

describe('shares and windows', () => {
  it('never divides by nothing', () => {
    expect(sharePercent(1, 0)).toBe(0)
    expect(sharePercent(-1, 2)).toBe(0)
    expect(sharePercent(3, 2)).toBe(100)
  })

  it('starts a one-line row close before its peak', () => {
    const spans = ['aaaa', 'bbbb', 'cccc', 'dddd'].map((text) => span(text))
    expect(firstShown(spans, 3, 8)).toBe(1)
    expect(firstShown(spans, 3, 100)).toBe(0)
    expect(firstShown(spans, -1, 8)).toBe(0)
  })
})
