// @vitest-environment happy-dom
/** The text-first view: how long reading took, how much of the text is explained, and when it lies outside of what was learned. */
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import type { MonoscopeClient, MonoscopeContract } from '../../../src/shared/contract'
import { connect } from '../../../src/shared/wire'
import { FakeWorkspace } from './fake-features'

const held: { client: MonoscopeClient | null } = vi.hoisted(() => ({ client: null }))
vi.mock('../../../src/renderer/app/client', () => ({
  client: { call: (...input: Parameters<MonoscopeClient['call']>) => held.client!.call(...input) },
  connectionState: { value: 'open' },
}))
const { i18n, chooseLanguage } = await import('../../../src/renderer/app/i18n')
const { default: TextPage } = await import('../../../src/renderer/views/text/TextPage.vue')

let workspace: FakeWorkspace
beforeEach(() => {
  workspace = new FakeWorkspace(600)
  held.client = connect<MonoscopeContract>(workspace.connect())
  localStorage.clear()
  chooseLanguage('en')
})

/** What the page says once it has read a text. */
async function read(fit: FakeWorkspace['fit']): Promise<string> {
  workspace.fit = fit
  const pinia = createPinia()
  setActivePinia(pinia)
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/:rest(.*)*', component: { template: '<i />' } }],
  })
  const view = mount(TextPage, { global: { plugins: [pinia, i18n, router] } })
  const { useCurrentSae } = await import('../../../src/renderer/app/current-sae.store')
  await useCurrentSae().load()
  await flushPromises()
  await view.find('textarea').setValue('A text')
  await view.find('button.primary').trigger('click')
  await vi.waitFor(() => expect(view.find('.listing').exists()).toBe(true))
  const text = view.text()
  view.unmount()
  return text
}

it('says how much of the text is explained beside held-out text, and reading apart from loading', async () => {
  const text = await read({ explainedVariance: 0.93, heldOut: 0.94 })
  expect(text).toContain('Explains 0.93 of the variance of this text; of held-out text 0.94.')
  expect(text).toContain('0.20 s, after 7.1 s until the model was ready')
  expect(text).not.toContain('outside')
})

it('warns of a text that lies outside, in both languages', async () => {
  const far = { explainedVariance: 0.31, heldOut: 0.94 }
  expect(await read(far)).toContain('This text lies outside of what the autoencoder has learned: it explains 0.31')
  chooseLanguage('ko')
  expect(await read(far)).toContain('이 글은 오토인코더가 학습한 범위를 벗어납니다. 설명된 분산이 0.31')
})

it('says nothing of a few tokens, and how to find something to compare with', async () => {
  const short = await read({ explainedVariance: null, heldOut: 0.94 })
  expect(short).not.toContain('variance of this text')
  expect(await read({ explainedVariance: 0.5, heldOut: null })).toContain('Evaluate the autoencoder')
})
