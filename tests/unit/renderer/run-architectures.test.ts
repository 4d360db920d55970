// @vitest-environment happy-dom
/** The form of a new run for every architecture: the fields it shows, what is sent, and what a run's page says of it afterwards. */
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia, type Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent } from 'vue'
import { createMemoryHistory, createRouter, type Router } from 'vue-router'
import { ArchitectureName, type ActivationSet, type TrainConfig } from '../../../src/shared/domain'
import { presetFor } from '../../../src/shared/presets'
import { FakeLmHost as FakeHost } from './fake-lm'
import { makeConfig, makeDataset, makeModel, makePoint, makeRun } from './fake-runs'

const bridge = vi.hoisted<{ host: unknown }>(() => ({ host: null }))
vi.mock('../../../src/renderer/app/client', () => {
  const host = () => bridge.host as FakeHost
  const client: FakeHost['client'] = {
    call: (name, input, signal) => host().client.call(name, input, signal),
    feed: (name, input, onNext, onEnd) => host().client.feed(name, input, onNext, onEnd),
  }
  return { client, connectionState: { value: 'open' } }
})
// happy-dom has no canvas; the caption is what is looked at here.
vi.mock('../../../src/renderer/charts/LineChart.vue', () => ({
  default: defineComponent({
    props: { title: { type: String, default: '' }, caption: { type: String, default: '' } },
    template: '<p class="chart">{{ title }}: {{ caption }}</p>',
  }),
}))

const { i18n, chooseLanguage } = await import('../../../src/renderer/app/i18n')
const { default: NewRunPage } = await import('../../../src/renderer/views/runs/NewRunPage.vue')
const { default: RunsPage } = await import('../../../src/renderer/views/runs/RunsPage.vue')

let host: FakeHost
let pinia: Pinia
let router: Router
let unmount: () => void = () => undefined

beforeEach(() => {
  host = new FakeHost()
  host.models = [makeModel(1)]
  host.datasets = [makeDataset(1)]
  bridge.host = host
  pinia = createPinia()
  setActivePinia(pinia)
  chooseLanguage('en')
  const routes = [
    { path: '/runs/:runId(\\d+)', component: RunsPage },
    { path: '/:rest(.*)*', component: NewRunPage },
  ]
  router = createRouter({ history: createMemoryHistory(), routes })
})
afterEach(() => unmount())

async function show(page: typeof RunsPage, path: string): Promise<VueWrapper> {
  await router.push(path)
  const wrapper = mount(page, { global: { plugins: [pinia, i18n, router] }, attachTo: document.body })
  unmount = () => wrapper.unmount()
  await flushPromises()
  await flushPromises()
  return wrapper
}

/** Names of the autoencoder's fields, in the order of the page. */
const fieldsOf = (page: VueWrapper): (string | undefined)[] =>
  page
    .findAll('fieldset')[1]!
    .findAll('input, select')
    .map((field) => field.attributes('name'))

/** Starts the run and answers the config that was sent. */
async function start(page: VueWrapper): Promise<TrainConfig> {
  await page.find('form').trigger('submit')
  await vi.waitFor(() => expect(host.runs).toHaveLength(1))
  return host.runs[0]!.config
}

const SHARED = ['learningRate', 'batchTokens', 'seed', 'deadTokens']
const PENALISED = ['decoderInitNorm', 'bDecInit', 'resampleDead']
const FIXED_K = ['k', 'auxCoefficient', 'auxK']
const JUMP = ['l0Coefficient', 'targetL0', 'bandwidth', 'initialThreshold', 'thresholdForm']
const FIELDS: Readonly<Record<ArchitectureName, string[]>> = {
  standard: ['l1Coefficient', ...SHARED, ...PENALISED],
  gated: ['l1Coefficient', ...SHARED, ...PENALISED],
  jumprelu: [...JUMP, ...SHARED, ...PENALISED],
  topk: [...FIXED_K, ...SHARED, 'bDecInit'],
  batchtopk: [...FIXED_K, ...SHARED, 'bDecInit'],
  matryoshka_batchtopk: [...FIXED_K, 'matryoshkaWidths', ...SHARED, 'bDecInit'],
}

describe('the form', () => {
  it.each(ArchitectureName.options)('shows what %s uses, explains it and sends its preset', async (architecture) => {
    const page = await show(NewRunPage, '/runs/new')
    await page.find('[name="architecture"]').setValue(architecture)
    expect(fieldsOf(page)).toEqual(['architecture', 'dSae', ...FIELDS[architecture]])
    expect(page.text()).toContain(i18n.global.t(`runs.explained.${architecture}`))
    const base = { modelId: 1, datasetId: 1, dModel: 64, layers: 5, contextSize: 512, datasetBytes: 1_400_000 }
    const preset = presetFor({ ...base, architecture })
    const sent: Record<string, unknown> = await start(page)
    for (const field of ['architecture', 'dSae', 'bDecInit', ...FIELDS[architecture]]) {
      expect([field, sent[field]]).toEqual([field, Object.entries(preset).find(([name]) => name === field)?.[1]])
    }
  })

  it('keeps what all architectures share when another one is chosen', async () => {
    const page = await show(NewRunPage, '/runs/new')
    await page.find('[name="learningRate"]').setValue('0.002')
    await page.find('[name="dSae"]').setValue('600')
    await page.find('[name="architecture"]').setValue('batchtopk')
    await page.find('[name="k"]').setValue('11')
    expect(await start(page)).toMatchObject({ architecture: 'batchtopk', learningRate: 0.002, dSae: 600, k: 11 })
  })

  it('names limit and example beside the field, also of the nested widths', async () => {
    const page = await show(NewRunPage, '/runs/new')
    await page.find('[name="architecture"]').setValue('matryoshka_batchtopk')
    await page.find('[name="k"]').setValue('513')
    expect(page.text()).toContain('The dictionary has 512 features. Use 32 or fewer.')
    await page.find('[name="k"]').setValue('16')
    await page.find('[name="matryoshkaWidths"]').setValue('64, 32')
    expect(page.text()).toContain('the last one 512. Use 32, 128, 512, for example')
    expect(page.find('[name="matryoshkaWidths"]').attributes('aria-invalid')).toBe('true')
    await page.find('[name="matryoshkaWidths"]').setValue('64, 512')
    expect((await start(page)).matryoshkaWidths).toEqual([64, 512])
  })

  it('opens what is hidden when something in it has to be corrected', async () => {
    const page = await show(NewRunPage, '/runs/new')
    expect(page.find('details').attributes('open')).toBeUndefined()
    await page.find('[name="deadTokens"]').setValue('3')
    expect(page.find('details').attributes('open')).toBeDefined()
    expect(page.find('details').text()).toContain('Too small: the limit is 16')
    await page.find('[name="deadTokens"]').setValue('')
    expect((await start(page)).deadTokens).toBeNull()
  })

  it('says what stands for a field that is left open', async () => {
    const page = await show(NewRunPage, '/runs/new')
    await page.find('[name="architecture"]').setValue('topk')
    expect(page.find('[name="auxK"]').attributes('placeholder')).toBe('32')
    expect(page.find('[name="deadTokens"]').attributes('placeholder')).toBe('245,760')
  })

  it('takes over the settings of a run of any kind', async () => {
    const special = { architecture: 'jumprelu', targetL0: 20, thresholdForm: 'log', resampleDead: true } as const
    host.runs = [makeRun(1, { config: { ...makeConfig(), ...special } })]
    const page = await show(NewRunPage, '/runs/new?from=1')
    await vi.waitFor(() => expect(page.find<HTMLInputElement>('[name="targetL0"]').element.value).toBe('20'))
    await page.find('form').trigger('submit')
    await vi.waitFor(() => expect(host.runs).toHaveLength(2))
    expect(host.runs[1]!.config).toEqual({ ...makeConfig(), ...special })
  })

  it('offers complete sets of activations of the place that is chosen', async () => {
    const set: ActivationSet = {
      ...{ id: 4, name: 'kept', modelId: 1, modelName: 'model-1', datasetId: 1, datasetName: 'text-1', seed: 0 },
      ...{ hookNames: ['blocks.2.hook_resid_post'], contextSize: 128, tokens: 5000, storedTokens: 5200, dIn: 64 },
      ...{ bytes: 1, state: 'done', jobId: 1, done: 1, total: 1, failure: null, createdAt: '2026-11-22T00:00:00Z' },
    }
    host.activationSets = [set, { ...set, id: 5, name: 'unfinished', state: 'running' }]
    const page = await show(NewRunPage, '/runs/new')
    const options = () => page.findAll('[name="activationsId"] option').map((option) => option.text())
    expect(options()).toEqual(['Computed while training', 'kept · 5,200 vectors'])
    await page.find('[name="activationsId"]').setValue('4')
    await page.find('[name="layer"]').setValue('1')
    expect(page.find('.crumbs').text()).toContain('blocks.1.')
    expect(page.find('[name="activationsId"]').exists()).toBe(false)
    await page.find('[name="layer"]').setValue('2')
    await page.find('[name="activationsId"]').setValue('4')
    expect((await start(page)).activationsId).toBe(4)
  })

  it('speaks Korean', async () => {
    chooseLanguage('ko')
    const page = await show(NewRunPage, '/runs/new')
    await page.find('[name="architecture"]').setValue('topk')
    expect(page.text()).toContain('토큰당 특징 수 k')
    await page.find('[name="k"]').setValue('999')
    expect(page.text()).toContain('사전의 특징은 512개. 32 이하로.')
  })
})

describe('a run', () => {
  it.each([
    ['standard', 'λ 1', '‖x − x̂‖² + λ Σ f'],
    ['topk', 'k 8', 'α AuxK'],
    ['jumprelu', 'L0 → 20', 'λ L0'],
  ] as const)('of %s says what makes its features few', async (architecture, few, loss) => {
    host.runs = [makeRun(1, { state: 'done', config: { ...makeConfig(), architecture, targetL0: 20 } })]
    const page = await show(RunsPage, '/runs/1')
    await vi.waitFor(() => expect(page.find('.runcard').text()).toContain(few))
    await vi.waitFor(() => expect(page.findAll('.chart')[0]?.text()).toContain(loss))
    expect(page.find('.facts-side').text()).toContain('245,760')
  })

  it('shows what the curves leave out of the last point', async () => {
    host.runs = [makeRun(1, { config: { ...makeConfig(), architecture: 'topk' } })]
    host.measured = [makePoint(7), { ...makePoint(8), aux: 2.25, gradientNorm: 0.5, route: 'sparse' }]
    const page = await show(RunsPage, '/runs/1')
    const facts = () => page.find('.facts-side').text()
    await vi.waitFor(() => expect(facts()).toContain('Last point, step 8'))
    for (const text of ['2.250', '0.500', 'sparse kernels']) expect(facts()).toContain(text)
    // After the last step there is no update, and with no dead feature no auxiliary term.
    host.measured = [...host.measured, { ...makePoint(9), gradientNorm: null }]
    host.change()
    await vi.waitFor(() => expect(facts()).toContain('dense operations'))
    expect(facts()).not.toContain('Gradient norm')
    expect(facts()).not.toContain('Auxiliary')
  })
})
