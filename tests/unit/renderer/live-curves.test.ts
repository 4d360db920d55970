// @vitest-environment happy-dom
/** Points of a run reach the curves once and in order, also over lost connections. */
import { describe, expect, it, vi } from 'vitest'
import { isReactive, reactive } from 'vue'
import type { Run } from '../../../src/shared/domain'
import { CURVES, makeLiveCurves } from '../../../src/renderer/views/runs/live-curves'
import { watchRun } from '../../../src/renderer/views/runs/watch-run'
import { FakeHost, makeRun, points } from './fake-runs'

const lossSteps = (curves: ReturnType<typeof makeLiveCurves>) =>
  Array.from(curves.source('loss').read().x, (tokens) => tokens / 1024)
const range = (to: number) => Array.from({ length: to + 1 }, (_, index) => index)

describe('LiveCurves', () => {
  it('keeps order, leaves out what came before, and grows beyond its first capacity', () => {
    const curves = makeLiveCurves()
    expect(curves.append(points(0, 300))).toBe(301)
    expect(curves.append(points(290, 1500))).toBe(1200)
    expect(curves.append(points(0, 1500))).toBe(0)
    expect(lossSteps(curves)).toEqual(range(1500))
    expect(curves.lastStep).toBe(1500)
    expect(curves.source('loss').read().y[99]).toBeCloseTo(10, 10)
  })

  it('has a point of explained variance only where it was measured', () => {
    const curves = makeLiveCurves()
    curves.append(points(0, 25))
    expect(Array.from(curves.source('explainedVariance').read().x)).toEqual([0, 10 * 1024, 20 * 1024])
    expect(curves.source('deadFraction').read().x).toHaveLength(26)
  })

  it('tells listeners of news only, until they stop', () => {
    const curves = makeLiveCurves()
    const listener = vi.fn()
    const stop = curves.source('l0').onChange(listener)
    curves.append(points(0, 3))
    curves.append(points(0, 3))
    expect(listener).toHaveBeenCalledTimes(1)
    stop()
    curves.append(points(4, 5))
    expect(listener).toHaveBeenCalledTimes(1)
  })

  it('stays outside of reactivity', () => {
    const holder = reactive({ curves: makeLiveCurves() })
    expect(isReactive(holder.curves)).toBe(false)
    for (const curve of CURVES) expect(isReactive(reactive({ source: holder.curves.source(curve) }).source)).toBe(false)
  })
})

describe('watchRun', () => {
  it('goes on after the last point when the connection is lost, without doubles', async () => {
    const host = new FakeHost()
    host.runs = [makeRun(1)]
    host.measured = points(0, 40)
    const curves = makeLiveCurves()
    const seen: Run[] = []
    const onEnd = vi.fn()
    const stop = watchRun({ client: host.client, runId: 1, curves, onRun: (run) => seen.push(run), onEnd })
    await vi.waitFor(() => expect(curves.lastStep).toBe(40))

    host.cut()
    host.measured = points(0, 60)
    await vi.waitFor(() => expect(curves.lastStep).toBe(60))
    expect(host.watches).toEqual([-1, 40])
    expect(lossSteps(curves)).toEqual(range(60))
    expect(onEnd).not.toHaveBeenCalled()

    host.runs = [makeRun(1, { state: 'done' })]
    host.measured = points(0, 70)
    host.change()
    await vi.waitFor(() => expect(onEnd).toHaveBeenCalledWith(undefined))
    expect(lossSteps(curves)).toEqual(range(70))
    expect(seen.at(-1)?.state).toBe('done')
    stop()
  })

  it('says a failure that is no lost connection, and stays silent once stopped', async () => {
    const host = new FakeHost()
    const onEnd = vi.fn()
    watchRun({ client: host.client, runId: 9, curves: makeLiveCurves(), onRun: vi.fn(), onEnd })
    await vi.waitFor(() => expect(onEnd).toHaveBeenCalledTimes(1))
    expect(onEnd.mock.calls[0]?.[0]).toMatchObject({ code: 'not-found' })

    host.runs = [makeRun(1)]
    const onRun = vi.fn()
    watchRun({ client: host.client, runId: 1, curves: makeLiveCurves(), onRun, onEnd })()
    host.cut()
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect(onRun).not.toHaveBeenCalled()
    expect(onEnd).toHaveBeenCalledTimes(1)
  })
})
