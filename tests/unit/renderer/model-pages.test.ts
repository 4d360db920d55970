// @vitest-environment happy-dom
/** What the model page and the cards of the library show: tokens under the keys, continuations, documents, warnings. */
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia, type Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter, type Router } from 'vue-router'
import { FakeLmHost } from './fake-lm'
import { makeDataset, makeModel } from './fake-runs'

const bridge = vi.hoisted<{ host: unknown }>(() => ({ host: null }))
vi.mock('../../../src/renderer/app/client', () => {
  const host = () => bridge.host as FakeLmHost
  const client: FakeLmHost['client'] = {
    call: (name, input, signal) => host().client.call(name, input, signal),
    feed: (name, input, onNext, onEnd) => host().client.feed(name, input, onNext, onEnd),
  }
  return { client, connectionState: { value: 'open' } }
})

const { i18n, chooseLanguage } = await import('../../../src/renderer/app/i18n')
const { default: LibraryPage } = await import('../../../src/renderer/views/library/LibraryPage.vue')
const { default: ModelPage } = await import('../../../src/renderer/views/models/ModelPage.vue')

let host: FakeLmHost
let pinia: Pinia
let router: Router
let unmount: () => void = () => undefined

beforeEach(() => {
  host = new FakeLmHost()
  host.models = [makeModel(1)]
  bridge.host = host
  pinia = createPinia()
  setActivePinia(pinia)
  chooseLanguage('en')
  router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/models/:modelId(\\d+)', component: ModelPage },
      { path: '/:rest(.*)*', component: LibraryPage },
    ],
  })
})
afterEach(() => unmount())

async function show(page: typeof ModelPage, path: string) {
  await router.push(path)
  const wrapper = mount(page, { global: { plugins: [pinia, i18n, router] }, attachTo: document.body })
  unmount = () => wrapper.unmount()
  await flushPromises()
  await flushPromises()
  return wrapper
}

describe('the model page', () => {
  it('reads with Ctrl Enter, shows what comes next, and walks with the arrow keys', async () => {
    const page = await show(ModelPage, '/models/1')
    expect(page.text()).toContain('Read the text to see the loss')
    await page.find('textarea').setValue('The end')
    await page.find('textarea').trigger('keydown', { key: 'Enter', ctrlKey: true })
    await vi.waitFor(() => expect(page.text()).toContain('What comes next'))
    expect(page.find('.facts').text()).toContain('2.333 nats')
    expect(page.find('.scale').text()).toContain('4.00 nats')
    const detail = () => page.find('.detail').text()
    expect(detail()).toContain('token 4')
    expect(detail()).toContain('50 %')

    await page.find('.tok.peak').trigger('keydown', { key: 'ArrowLeft' })
    expect(detail()).toContain('⟨9C⟩')
    expect(detail()).toContain('4 of 512')
    expect(page.find('.tok.peak').text()).toBe('한')
    await page.find('.tok.peak').trigger('keydown', { key: 'Home' })
    expect(detail()).toContain('The first token has no loss')
    await page.find('[data-index="2"]').trigger('click')
    expect(detail()).toContain('13.5 %')
    await page.find('textarea').setValue('The end.')
    expect(page.text()).toContain('The text has changed since it was read.')
  })

  it('shows the prompt, then what is written, and stops', async () => {
    const page = await show(ModelPage, '/models/1')
    const button = (name: string) => page.findAll('button').find((one) => one.text().startsWith(name))
    await page.find('textarea[aria-label="Prompt 1"]').setValue('A dog')
    await button('Continue')?.trigger('submit')
    await flushPromises()
    host.write([{ type: 'token', prompt: 0, id: 5, text: ' ran', special: false, probability: 0.25 }])
    await vi.waitFor(() => expect(page.find('article .text').text()).toBe('A dog ran'))
    expect(page.find('article .muted').text()).toBe('A dog')
    expect(page.find('.piece').attributes('title')).toBe('probability 25 % · id 5')
    host.write([{ type: 'token', prompt: 0, id: 2, text: '<|im_end|>', special: true, probability: 0.5 }])
    await vi.waitFor(() => expect(page.findAll('.piece.special').map((one) => one.text())).toEqual(['<|im_end|>']))
    await button('Stop')?.trigger('click')
    expect(page.find('article').text()).toContain('stopped')
    expect(button('Continue')?.exists()).toBe(true)
  })

  it('offers a chat only where the model has a template', async () => {
    const page = await show(ModelPage, '/models/1')
    expect(page.text()).not.toContain('Chat')
    unmount()
    host.models = [makeModel(1, { hasChatTemplate: true })]
    const other = await show(ModelPage, '/models/1')
    await other
      .findAll('button')
      .find((one) => one.text() === 'Chat')
      ?.trigger('click')
    expect(other.text()).toContain('Instruction')
  })

  it('says what a text starts with, and lets it be chosen', async () => {
    host.models = [makeModel(1, { startTokens: { own: null, bos: '<|endoftext|>' } })]
    const page = await show(ModelPage, '/models/1')
    const field = page.find<HTMLSelectElement>('form select')
    const options = field.findAll('option').map((option) => option.text())
    expect(options).toEqual(['As its tokenizer does: nothing', 'bos_token of its files: <|endoftext|>', 'Nothing'])
    expect(field.element.value).toBe('own')
    await field.setValue('bos')
    await flushPromises()
    await flushPromises()
    expect(host.models[0]?.textStart).toBe('bos')
    expect(field.element.value).toBe('bos')
    unmount()
    host.models = [makeModel(1, { startTokens: { own: null, bos: null } })]
    const bare = await show(ModelPage, '/models/1')
    expect(bare.findAll('form select option').map((option) => option.attributes('value'))).toEqual(['own', 'none'])
  })

  it('says when a model is not there', async () => {
    const page = await show(ModelPage, '/models/9')
    expect(page.text()).toContain('This model is not in the library')
  })
})

describe('the library', () => {
  it('warns of what was found in the files of a model, and lists its hooks by block', async () => {
    host.models = [
      makeModel(1, {
        ...{ absentHooks: ['hook_resid_mid'], layers: 5, source: 'hub:org/small@abc' },
        nanTensors: { count: 12, first: ['a.weight', 'b.weight'] },
      }),
    ]
    const page = await show(LibraryPage, '/library')
    expect(page.find('.note.danger').text()).toContain('12 (a.weight, b.weight and 10 more)')
    expect(page.text()).toContain('Hook points: 36')
    expect(page.text()).toContain('hub:org/small@abc')
    await page.find('details select').setValue('3')
    expect(page.find('.names').text()).toContain('blocks.3.attn.hook_z')
    expect(page.find('.names').text()).not.toContain('hook_resid_mid')
    expect(page.find('a[href="/models/1"]').text()).toBe('Try')
  })

  it('pages through documents and unfolds a long one', async () => {
    host.datasets = [makeDataset(1, { documents: 12 })]
    const page = await show(LibraryPage, '/library')
    const press = (label: string) => page.find(`button[aria-label="${label}"]`)
    await press('Documents of text-1').trigger('click')
    await vi.waitFor(() => expect(page.text()).toContain('1 to 10 of 12'))
    expect(press('Previous documents').attributes('disabled')).toBeDefined()
    host.documentText = `${'a line of text\n'.repeat(40)}the end`
    await press('Next documents').trigger('click')
    await vi.waitFor(() => expect(page.find('.document').text()).toContain('Show more of 5,000 characters'))
    expect(press('Next documents').attributes('disabled')).toBeDefined()
    expect(page.find('.document').text()).toContain('↵')
    expect(page.find('.document').text()).not.toContain('the end')
    await page.find('.document button').trigger('click')
    expect(page.find('.document').text()).toContain('the end')
  })
})
