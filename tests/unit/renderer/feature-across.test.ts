// @vitest-environment happy-dom
/** The features of other autoencoders: each by its autoencoder with a link there, what was left out, none, and a failure. */
import { flushPromises, mount, RouterLinkStub } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, it, vi } from 'vitest'
import type { MonoscopeClient, MonoscopeContract } from '../../../src/shared/contract'
import { AppError } from '../../../src/shared/errors'
import { connect } from '../../../src/shared/wire'
import { FakeWorkspace } from './fake-features'

const held: { client: MonoscopeClient | null } = vi.hoisted(() => ({ client: null }))
vi.mock('../../../src/renderer/app/client', () => ({
  client: { call: (...input: Parameters<MonoscopeClient['call']>) => held.client!.call(...input) },
  connectionState: { value: 'open' },
}))
const { i18n, chooseLanguage } = await import('../../../src/renderer/app/i18n')
const { default: FeatureAcross } = await import('../../../src/renderer/views/features/FeatureAcross.vue')

let workspace: FakeWorkspace
beforeEach(() => {
  workspace = new FakeWorkspace(30)
  held.client = connect<MonoscopeContract>(workspace.connect())
  chooseLanguage('en')
})

async function shown() {
  const pinia = createPinia()
  setActivePinia(pinia)
  const stubs = { RouterLink: RouterLinkStub }
  const props = { saeId: 1, featureIndex: 3 }
  const view = mount(FeatureAcross, { props, global: { plugins: [pinia, i18n], stubs } })
  expect(view.find('.skeleton').exists()).toBe(true)
  await vi.waitFor(() => expect(view.find('.skeleton').exists()).toBe(false))
  await flushPromises()
  return view
}

it('names the autoencoder, links to its features, and says what was not compared', async () => {
  const neighbour = { featureIndex: 7, label: 'dogs', density: 0.01, topToken: 'dog', cosine: -0.125 }
  workspace.measured.across = {
    others: [{ saeId: 2, name: 'large', dSae: 4096, neighbours: [neighbour] }],
    leftOut: [
      { saeId: 3, name: 'new', why: 'atlas' },
      { saeId: 4, name: 'lost', why: 'file' },
    ],
  }
  const view = await shown()
  expect(view.get('h3').text()).toBe('large · 4,096 features')
  expect(view.getComponent(RouterLinkStub).props('to')).toBe('/features/2/7')
  expect(view.get('tbody').text()).toContain('dogs')
  expect(view.get('.num').text()).toBe('−0.13')
  expect(view.text()).toContain('Not compared: new has no atlas yet.')
  expect(view.text()).toContain('Not compared: the files of lost cannot be read')
})

it('says that there is no other autoencoder', async () => {
  expect((await shown()).text()).toBe('No other autoencoder of this model reads the same hook.')
})

it('says why there is no answer', async () => {
  workspace.failing.set('features.across', new AppError('not-found', { what: 'feature', id: 3 }))
  expect((await shown()).get('[role="alert"]').text()).toContain('3')
})
