/** Words and numbers in the user's language, and the theme: chosen once, remembered, shown on <html>. */
import { ref, watchEffect } from 'vue'
import { createI18n } from 'vue-i18n'
import type { Language } from '../../shared/errors'
import { LONG_READY_SECONDS, type Took } from '../../shared/took'
import en from '../locales/en.json'
import ko from '../locales/ko.json'

export type Theme = 'light' | 'dark'
export const LANGUAGES: readonly Language[] = ['en', 'ko']

const remembered = <T extends string>(key: string, choices: readonly T[]): T | undefined =>
  choices.find((choice) => choice === localStorage.getItem(key))

/** The language of everything said. */
export const language = ref<Language>(
  remembered('monoscope-language', LANGUAGES) ?? (navigator.language.startsWith('ko') ? 'ko' : 'en'),
)
/** Follows the system until chosen. */
export const theme = ref<Theme>(
  remembered<Theme>('monoscope-theme', ['light', 'dark']) ??
    (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'),
)

export const i18n = createI18n({
  legacy: false,
  locale: language.value,
  fallbackLocale: 'en',
  messages: { en, ko },
  // A missing key is caught by the test that compares both files.
  missingWarn: false,
  fallbackWarn: false,
})

watchEffect(() => {
  i18n.global.locale.value = language.value
  document.documentElement.lang = language.value
})
watchEffect(() => {
  document.documentElement.classList.remove('light', 'dark')
  document.documentElement.classList.add(theme.value)
})

export function chooseLanguage(choice: Language): void {
  language.value = choice
  localStorage.setItem('monoscope-language', choice)
}
export function chooseTheme(choice: Theme): void {
  theme.value = choice
  localStorage.setItem('monoscope-theme', choice)
}

const formats = () => (language.value === 'ko' ? 'ko-KR' : 'en-US')

/** A whole number with thousands separators. */
const formatCount = (value: number): string => Math.round(value).toLocaleString(formats())
const formatDecimal = (value: number, digits: number): string =>
  value.toLocaleString(formats(), { minimumFractionDigits: digits, maximumFractionDigits: digits })
/** A share of 1 as percent, with as many digits as small shares need. */
const formatPercent = (share: number): string => {
  const percent = share * 100
  const digits = percent === 0 || percent >= 10 ? 1 : percent >= 1 ? 2 : 3
  return `${percent.toLocaleString(formats(), { maximumFractionDigits: digits })} %`
}
/** Decimal units, as disks and downloads are sold. */
const formatBytes = (bytes: number): string => {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${value.toLocaleString(formats(), { maximumFractionDigits: unit === 0 || value >= 100 ? 0 : 1 })} ${units[unit] ?? ''}`
}
/** Day and minute of an ISO time. */
const formatDate = (iso: string): string =>
  new Date(iso).toLocaleString(formats(), { dateStyle: 'medium', timeStyle: 'short' })
/** Seconds as the two largest units that matter. */
const formatDuration = (seconds: number): string => {
  const whole = Math.max(0, Math.round(seconds))
  const { t } = i18n.global
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor((whole % 3600) / 60)
  if (hours > 0) return t('app.duration.hours', { hours, minutes })
  if (minutes > 0) return t('app.duration.minutes', { minutes, seconds: whole % 60 })
  return t('app.duration.seconds', { seconds: whole })
}

/** Seconds of an answer, and of the waiting before it where that was long. */
const formatTook = ({ seconds, readySeconds }: Took): string => {
  const values = { seconds: seconds.toFixed(2), ready: readySeconds.toFixed(1) }
  return i18n.global.t(readySeconds < LONG_READY_SECONDS ? 'app.took.alone' : 'app.took.after', values)
}

/** Text by key, and numbers as people of the chosen language write them. */
export function useText() {
  const t = (key: string, values: Record<string, string | number> = {}): string => i18n.global.t(key, values)
  return { t, language, formatCount, formatDecimal, formatPercent, formatBytes, formatDate, formatDuration, formatTook }
}
