// @vitest-environment happy-dom
/** Places that are typed or pasted, and what happens when a person comes back to a window. */
import { mount } from '@vue/test-utils'
import { describe, expect, it, vi } from 'vitest'
import { onReturn } from '../../../src/renderer/app/on-return'
import { placeIn } from '../../../src/renderer/app/places'
import { referenceOf } from '../../../src/shared/reference'
import { makeSae } from './fake-features'

const [newest, old] = [
  { ...makeSae(7, 100), name: 'a/b', modelName: 'org/model' },
  { ...makeSae(2, 5000), name: 'wide' },
]
const saes = [newest, { ...old, id: 3, name: 'a/b', modelName: 'org/model' }, old]
const pathOf = (text: string) => placeIn(text, saes, old)?.path ?? null

describe('a place', () => {
  it.each([
    ['42', '/features/2/42'],
    [' 0042 ', '/features/2/42'],
    ['5000', null],
    ['-1', null],
    ['1e3', null],
    ['12345678901234567890', null],
    ['', null],
    ['org/model/blocks.2.hook_resid_post/a/b/99', '/features/7/99'],
    ['org/model/blocks.2.hook_resid_post/a/b/100', null],
    ['stories260K/blocks.2.hook_resid_post/wide/4999', '/features/2/4999'],
    ['stories260K/blocks.3.hook_resid_post/wide/1', null],
    ['wide/1', null],
    ['#/features/2/7/with/3/4', '/features/2/7/with/3/4'],
    ['http://127.0.0.1:8080/?token=x#/features?state=alive&max=0.5', '/features?state=alive&max=0.5'],
    ['# heading', null],
    ['export', null],
  ])('of %j is %s', (text, path) => expect(pathOf(text)).toBe(path))

  it('is read back from the reference of every feature', () => {
    for (const sae of [newest, old]) expect(pathOf(referenceOf(sae, 17))).toBe(`/features/${sae.id}/17`)
  })

  it('of a number is none without an autoencoder', () => expect(placeIn('3', [], null)).toBeNull())
})

describe('coming back', () => {
  it('does it each time until the page is left', () => {
    const run = vi.fn()
    const page = mount({ setup: () => onReturn(run), template: '<i />' })
    expect(run).not.toHaveBeenCalled()
    window.dispatchEvent(new Event('focus'))
    window.dispatchEvent(new Event('focus'))
    expect(run).toHaveBeenCalledTimes(2)
    page.unmount()
    window.dispatchEvent(new Event('focus'))
    expect(run).toHaveBeenCalledTimes(2)
  })
})
