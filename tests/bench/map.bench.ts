/**
 * The map of features: how long its job takes, on the demo's autoencoder and on made-up directions around some axes, on each backend; and
 * how long Chromium takes for a frame of 100,000 points that are dragged. Budget of a frame: 33 ms, thirty a second.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readMap } from '../../src/main/files/map-file'
import { writeSaelens } from '../../src/main/files/saelens'
import { Random } from '../../src/main/engine/train/random'
import { buildWorker, removeWorker, TestWorker } from '../engine/worker-process'
import { makeWorkspace } from '../fixtures/synthetic-workspace'
import { openWebHost } from '../journeys/hosts'

const DEMO_SAE = resolve(import.meta.dirname, '../../resources/demo/saes/1-batchtopk')
const BACKENDS = ['tensorflow', 'wasm'] as const
const [D_IN, AXES] = [192, 60]
/** More than the layout is fitted on, so that some are placed afterwards. */
const SIZES = [20_000, 25_000]
const POINTS = 100_000
/** Frames that are dragged, and what each may take of the main thread. */
const FRAMES = 90
const FRAME_MS = 33

let folder = ''
let entry = ''
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'monoscope-bench-'))
  entry = await buildWorker()
}, 120_000)
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await removeWorker()
})

const say = (figures: object) => void process.stdout.write(`${JSON.stringify({ case: 'map', ...figures })}\n`)

async function makeSae(dSae: number): Promise<string> {
  const random = Random.fromSeed(4)
  const axes = Float32Array.from({ length: AXES * D_IN }, () => random.normal())
  const wDec = Float32Array.from({ length: dSae * D_IN }, (_, at) => {
    const axis = Math.floor(at / D_IN) % AXES
    return (axes[axis * D_IN + (at % D_IN)] ?? 0) + random.normal()
  })
  const weights = {
    wEnc: { shape: [D_IN, dSae], data: new Float32Array(D_IN * dSae) },
    bEnc: { shape: [dSae], data: new Float32Array(dSae) },
    wDec: { shape: [dSae, D_IN], data: wDec },
    bDec: { shape: [D_IN], data: new Float32Array(D_IN) },
  }
  const origin = {
    ...{ modelName: 'none', hookName: 'blocks.0.hook_resid_post', contextSize: 8, prependBos: true, datasetPath: '-' },
    monoscope: {},
  }
  const path = join(folder, `sae-${dSae}`)
  const sae = { architecture: 'standard' as const, dIn: D_IN, dSae, weights, shiftsInput: false, k: null }
  await writeSaelens(path, sae, { origin, firingShare: new Float64Array(dSae) })
  return path
}

async function measureJob(path: string, backend: string): Promise<void> {
  const worker = new TestWorker(entry, backend)
  if (!(await worker.opens(backend))) return say({ backend, skipped: 'this backend cannot be opened here' })
  const file = join(folder, `${backend}.safetensors`)
  const startedAt = performance.now()
  worker.tell({ type: 'start', spec: { kind: 'map', sae: { path }, deadFeatures: [], seed: 0, file } })
  if ((await worker.exited) !== 0) throw new Error(JSON.stringify(worker.messages.at(-1)))
  const seconds = Number(((performance.now() - startedAt) / 1000).toFixed(1))
  const { features, parameters, clusters } = await readMap(file)
  const counts = { features: features.length, fitted: parameters.fitted, clusters: new Set(clusters).size }
  say({ backend, ...counts, epochs: parameters.epochs, seconds })
}

it.each(BACKENDS)('makes the map of the demo’s autoencoder on %s', (backend) => measureJob(DEMO_SAE, backend))
it.each(SIZES)('makes a map of %i made-up features', async (dSae) => measureJob(await makeSae(dSae), 'wasm'))

/** Runs in the page: every frame the map is dragged by a pixel or more; answers the time between frames. */
const drag = `new Promise((resolve) => {
  const canvas = document.querySelector('.plane > canvas:last-of-type')
  const { left, top } = canvas.getBoundingClientRect()
  const send = (type, step) => canvas.dispatchEvent(new PointerEvent(type, {
    bubbles: true, pointerId: 1, button: 0, clientX: left + 300 + 2 * step, clientY: top + 200 + step,
  }))
  canvas.setPointerCapture = () => undefined
  send('pointerdown', 0)
  const times = []
  let before = performance.now()
  const frame = (now) => {
    times.push(now - before)
    before = now
    if (times.length > ${FRAMES}) {
      send('pointerup', times.length)
      resolve(times.slice(1))
    } else {
      send('pointermove', times.length + 3)
      requestAnimationFrame(frame)
    }
  }
  requestAnimationFrame(frame)
})`

it('draws 100,000 points while they are dragged', async () => {
  const workspace = await makeWorkspace({ features: POINTS, withContexts: 100 })
  const host = await openWebHost(workspace)
  const { page } = host
  try {
    await page.getByRole('link', { name: 'Features' }).click()
    await page.getByRole('link', { name: 'Map', exact: true }).click()
    await page.getByRole('img', { name: /^Map of 100,000 features/ }).waitFor({ timeout: 60_000 })
    const session = await page.context().newCDPSession(page)
    await session.send('Performance.enable')
    const busy = async () => {
      const { metrics } = await session.send('Performance.getMetrics')
      return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN
    }
    await page.evaluate(drag)
    const before = await busy()
    const times = (await page.evaluate<number[]>(drag)).toSorted((a, b) => a - b)
    const frameMs = Number(((1000 * ((await busy()) - before)) / times.length).toFixed(1))
    const at = (share: number) => Number((times[Math.floor(share * (times.length - 1))] ?? NaN).toFixed(1))
    const box = await page.locator('.plane').boundingBox()
    say({ points: POINTS, width: box?.width, height: box?.height, frameMs, medianMs: at(0.5), p95Ms: at(0.95) })
    expect.soft(frameMs).toBeLessThanOrEqual(FRAME_MS)
  } finally {
    await host.close()
    rmSync(workspace, { recursive: true, force: true })
  }
})
