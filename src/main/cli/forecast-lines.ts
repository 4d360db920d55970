/** A forecast as lines for people. */
import { isBusy, type Forecast } from '../../shared/domain'
import type { Output } from './output'

const MB = 1e6
const whole = (value: number) => Math.ceil(value).toLocaleString('en-US')

export function forecastLines(out: Output, forecast: Forecast): string[] {
  const { parts, stepMs, denseStepMs, route, collectTokensPerSecond, collectedTokens } = forecast
  const { memoryBytes, freeMemoryBytes, diskBytes, freeDiskBytes } = forecast
  const seconds = Object.entries(parts).map(([part, value]) => [part, value.toFixed(1)] as const)
  return [
    out.say('forecast', { seconds: whole(forecast.seconds), ...Object.fromEntries(seconds) }),
    out.say('forecastSpeeds', {
      ...{ stepMs: stepMs.toFixed(1), route, denseStepMs: (denseStepMs ?? stepMs).toFixed(1) },
      ...{
        tokens: whole(collectedTokens),
        speed: collectTokensPerSecond === null ? '–' : whole(collectTokensPerSecond),
      },
    }),
    out.say('forecastRoom', {
      ...{ memory: whole(memoryBytes / MB), freeMemory: whole(freeMemoryBytes / MB) },
      ...{ disk: whole(diskBytes / MB), freeDisk: whole(freeDiskBytes / MB) },
    }),
    ...(isBusy(forecast) ? [out.say('forecastBusy', { load: forecast.load?.toFixed(1) ?? '-' })] : []),
    ...(memoryBytes > freeMemoryBytes ? [out.say('forecastNoMemory')] : []),
    ...(diskBytes > freeDiskBytes ? [out.say('forecastNoDisk')] : []),
  ]
}
