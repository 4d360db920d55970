// @vitest-environment happy-dom
/** The note on files that changed: none while all are as they were, one for each that is not, and what could not be found out. */
import { flushPromises, mount } from '@vue/test-utils'
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
const { default: StaleNote } = await import('../../../src/renderer/app/StaleNote.vue')

let workspace: FakeWorkspace
beforeEach(() => {
  workspace = new FakeWorkspace(30)
  held.client = connect<MonoscopeContract>(workspace.connect())
  chooseLanguage('en')
})

async function shown(): Promise<string> {
  const pinia = createPinia()
  setActivePinia(pinia)
  const note = mount(StaleNote, { props: { saeId: 1 }, global: { plugins: [pinia, i18n] } })
  await flushPromises()
  await vi.waitFor(() => expect(workspace.calls).toContain('atlas.changed'))
  await flushPromises()
  return note.text()
}

it('says nothing while all files are as they were', async () => expect(await shown()).toBe(''))

it('names each that changed, and how to mend it', async () => {
  workspace.measured.changed = [
    { kind: 'sae', name: 'sae-1', path: '/saes/1' },
    { kind: 'dataset', name: 'stories', path: '/stories.txt' },
  ]
  const text = await shown()
  expect(text).toContain('The autoencoder sae-1 was changed since it was made (/saes/1)')
  expect(text).toContain('The text stories was changed since it was added (/stories.txt)')
  expect(text).toContain('build the atlas on it')
})

it('says that it does not know, and why', async () => {
  workspace.failing.set('atlas.changed', new AppError('worker-lost'))
  expect(await shown()).toContain('is not known')
})
