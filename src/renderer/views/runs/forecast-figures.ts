/** The figures of a forecast as they are shown, what is short, and the forecast beside what a run took. */
import { isBusy, type Forecast, type Run } from '../../../shared/domain'
import type { useText } from '../../app/i18n'

type Text = Pick<ReturnType<typeof useText>, 't' | 'formatBytes' | 'formatCount' | 'formatDecimal' | 'formatDuration'>

/** Figures that a finished run has as well. */
const COMPARED = ['seconds', 'memoryBytes', 'diskBytes'] as const
type Compared = (typeof COMPARED)[number]
type FigureKey =
  Compared | 'collect' | 'collectedTokens' | 'collectTokensPerSecond' | 'steps' | 'judge' | 'stepMs' | 'denseStepMs'

/** Short times need their tenths. */
const timeOf = (seconds: number, { t, formatDecimal, formatDuration }: Text): string =>
  seconds < 10 ? t('app.duration.seconds', { seconds: formatDecimal(seconds, 1) }) : formatDuration(seconds)

/** Keys name texts under `runs.forecast` and, for how it is computed, `runs.forecast.how`. */
export function forecastFigures(forecast: Forecast, text: Text): { key: FigureKey; value: string }[] {
  const { t, formatBytes, formatCount, formatDecimal } = text
  const { parts, collectTokensPerSecond: speed, collectedTokens, stepMs, denseStepMs, route } = forecast
  const ofFree = (need: number, free: number) =>
    t('runs.forecast.ofFree', { need: formatBytes(need), free: formatBytes(free) })
  const ms = (value: number) => t('runs.forecast.ms', { ms: formatDecimal(value, value < 10 ? 1 : 0) })
  const figures: { key: FigureKey; value: string }[] = [
    { key: 'seconds', value: timeOf(forecast.seconds, text) },
    { key: 'memoryBytes', value: ofFree(forecast.memoryBytes, forecast.freeMemoryBytes) },
    { key: 'diskBytes', value: ofFree(forecast.diskBytes, forecast.freeDiskBytes) },
  ]
  if (speed !== null) {
    figures.push(
      { key: 'collect', value: timeOf(parts.collect, text) },
      { key: 'collectedTokens', value: formatCount(collectedTokens) },
      { key: 'collectTokensPerSecond', value: formatCount(speed) },
    )
  }
  figures.push(
    { key: 'steps', value: timeOf(parts.steps, text) },
    { key: 'judge', value: timeOf(parts.judge, text) },
    { key: 'stepMs', value: t('runs.forecast.byRoute', { ms: ms(stepMs), route: t(`runs.forecast.routes.${route}`) }) },
  )
  if (denseStepMs !== null) figures.push({ key: 'denseStepMs', value: ms(denseStepMs) })
  return figures
}

/** What this machine has too little of now, or had when it was measured. */
export function shortOf(forecast: Forecast): ('memory' | 'disk' | 'busy')[] {
  const { memoryBytes, freeMemoryBytes, diskBytes, freeDiskBytes } = forecast
  return [
    ...(memoryBytes > freeMemoryBytes ? (['memory'] as const) : []),
    ...(diskBytes > freeDiskBytes ? (['disk'] as const) : []),
    ...(isBusy(forecast) ? (['busy'] as const) : []),
  ]
}

/** A dash stands for what was not forecast, or is not known before the run is done. */
export function comparedFigures(
  { forecast, actual }: Pick<Run, 'forecast' | 'actual'>,
  text: Text,
): { key: Compared; forecast: string; actual: string }[] {
  const written = (key: Compared, value: number | undefined) => {
    if (value === undefined) return '–'
    return key === 'seconds' ? timeOf(value, text) : text.formatBytes(value)
  }
  const took = { seconds: actual?.seconds, memoryBytes: actual?.peakMemoryBytes, diskBytes: actual?.diskBytes }
  return COMPARED.map((key) => ({
    key,
    forecast: written(key, forecast?.[key]),
    actual: written(key, took[key]),
  }))
}
