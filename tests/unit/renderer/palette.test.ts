// @vitest-environment happy-dom
/** The palette finds commands in both languages, and a number goes to that feature of the chosen autoencoder. */
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import CommandPalette from '../../../src/renderer/app/CommandPalette.vue'
import type { Sae } from '../../../src/shared/domain'

const sae: Sae = {
  ...{ id: 4, name: 'two-post-512', runId: 1, modelId: 1, modelName: 'stories', hookName: 'blocks.2.hook_resid_post' },
  ...{ architecture: 'standard', dIn: 64, dSae: 512, contextSize: 128, path: '/tmp/sae', sha256: 'ab', partial: false },
  ...{ summary: null, quality: null, backend: null, seed: 0, atlas: null, createdAt: '2026-01-01T00:00:00Z' },
}
vi.mock('../../../src/renderer/app/client', () => ({
  client: { call: () => Promise.resolve([sae]), feed: () => () => undefined },
}))

const { useCurrentSae } = await import('../../../src/renderer/app/current-sae.store')
const { chooseLanguage, i18n, theme } = await import('../../../src/renderer/app/i18n')
const { router } = await import('../../../src/renderer/app/router')

const choices = () => [...document.querySelectorAll('[role="option"]')].map((option) => option.textContent.trim())

async function openPalette() {
  const pinia = createPinia()
  setActivePinia(pinia)
  await useCurrentSae().load()
  const wrapper = mount(CommandPalette, {
    props: { open: true },
    global: { plugins: [pinia, i18n] },
    attachTo: document.body,
  })
  await flushPromises()
  return wrapper
}

async function type(words: string) {
  const field = document.querySelector('input')
  if (!field) throw new Error('the palette has no field')
  field.value = words
  field.dispatchEvent(new Event('input', { bubbles: true }))
  await flushPromises()
}

beforeEach(async () => {
  document.body.innerHTML = ''
  chooseLanguage('en')
  await nextTick()
})

describe('command palette', () => {
  it('lists every view and command, and narrows as words are typed', async () => {
    const wrapper = await openPalette()
    expect(choices()).toHaveLength(9)
    await type('export')
    expect(choices()).toEqual(['Catalog'])
    await type('내보내기')
    expect(choices()).toEqual(['Catalog'])
    await type('no such thing')
    expect(choices()).toEqual([])
    expect(document.body.textContent).toContain('Nothing has this name.')
    wrapper.unmount()
  })

  it('offers a feature only when the autoencoder has that number', async () => {
    const wrapper = await openPalette()
    await type('511')
    expect(choices()[0]).toBe('Feature 511')
    await type('512')
    expect(choices()).toEqual([])
    wrapper.unmount()
  })

  it('goes to what a copied reference or an address of another host names', async () => {
    const push = vi.spyOn(router, 'push').mockResolvedValue(undefined)
    const wrapper = await openPalette()
    await type(' stories/blocks.2.hook_resid_post/two-post-512/40 ')
    expect(choices()).toEqual(['Feature 40'])
    await type('http://127.0.0.1:4242/#/features?sort=max')
    expect(choices()).toEqual(['Open /features?sort=max'])
    document.querySelector<HTMLElement>('[role="option"]')?.click()
    await flushPromises()
    expect(push).toHaveBeenCalledExactlyOnceWith('/features?sort=max')
    push.mockRestore()
    wrapper.unmount()
  })

  it('goes to the feature that was chosen and closes', async () => {
    const push = vi.spyOn(router, 'push').mockResolvedValue(undefined)
    const wrapper = await openPalette()
    await type('17')
    document.querySelector<HTMLElement>('[role="option"]')?.click()
    await flushPromises()
    expect(push).toHaveBeenCalledExactlyOnceWith('/features/4/17')
    expect(wrapper.emitted('update:open')?.at(-1)).toEqual([false])
    push.mockRestore()
    wrapper.unmount()
  })

  it('runs a command that changes the page itself', async () => {
    const wrapper = await openPalette()
    const before = theme.value
    await type('dark')
    document.querySelector<HTMLElement>('[role="option"]')?.click()
    await flushPromises()
    expect(theme.value).not.toBe(before)
    wrapper.unmount()
  })

  it('opens and closes with Ctrl K', async () => {
    const wrapper = await openPalette()
    window.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, cancelable: true }))
    expect(wrapper.emitted('update:open')?.at(-1)).toEqual([false])
    wrapper.unmount()
  })
})
