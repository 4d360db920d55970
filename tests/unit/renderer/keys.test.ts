// @vitest-environment happy-dom
/** Shortcuts are met whatever script the keyboard writes, and with Caps Lock. */
import { describe, expect, it } from 'vitest'
import { keyOf } from '../../../src/renderer/app/keys'

const press = (key: string, code: string, shiftKey = false) => keyOf({ key, code, shiftKey })

describe('keyOf', () => {
  it.each([
    ['Latin', press('j', 'KeyJ'), 'j'],
    ['Latin with Shift', press('L', 'KeyL', true), 'L'],
    ['Caps Lock', press('J', 'KeyJ'), 'j'],
    ['Caps Lock with Shift', press('l', 'KeyL', true), 'L'],
    ['Hangul', press('ㅓ', 'KeyJ'), 'j'],
    ['Hangul with Shift', press('ㅆ', 'KeyT', true), 'T'],
    ['an input method that holds the key', press('Process', 'KeyK'), 'k'],
    ['a bracket behind an input method', press('Process', 'BracketLeft'), '['],
    ['a slash behind an input method', press('Process', 'Slash'), '/'],
    ['Cyrillic', press('о', 'KeyJ'), 'j'],
    ['Dvorak, where J is elsewhere', press('j', 'KeyC'), 'j'],
    ['AZERTY, where A is elsewhere', press('a', 'KeyQ'), 'a'],
    ['a digit', press('0', 'Digit0'), '0'],
    ['a named key', press('Enter', 'Enter'), 'Enter'],
    ['Escape', press('Escape', 'Escape'), 'Escape'],
    ['a sign', press('+', 'Equal', true), '+'],
  ])('%s', (_, got, expected) => {
    expect(got).toBe(expected)
  })
})
