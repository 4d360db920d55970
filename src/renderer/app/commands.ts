/** Every action of the program as data: the palette, shortcuts and menus read the same list. */
import {
  ChartNoAxesCombined,
  Download,
  Languages,
  Library,
  ListTree,
  Moon,
  Plus,
  Search,
  ShieldCheck,
} from '@lucide/vue'
import type { Component } from 'vue'
import { chooseLanguage, chooseTheme, language, theme } from './i18n'
import { router } from './router'

export type AppCommand = {
  id: string
  titleKey: string
  /** Words by which it is found besides its title, in both languages. */
  keywords: string
  icon: Component
  run(): void
}

/** The views, in the order of the rail. */
export const PLACES = [
  { path: '/library', titleKey: 'app.places.library', icon: Library, keywords: 'model dataset 모델 데이터' },
  { path: '/runs', titleKey: 'app.places.runs', icon: ChartNoAxesCombined, keywords: 'train loss 훈련 손실' },
  { path: '/features', titleKey: 'app.places.features', icon: ListTree, keywords: 'latent label 라벨' },
  { path: '/search', titleKey: 'app.places.search', icon: Search, keywords: 'prompt 프롬프트' },
  { path: '/safety', titleKey: 'app.places.safety', icon: ShieldCheck, keywords: 'review category 검토' },
  { path: '/catalog', titleKey: 'app.places.catalog', icon: Download, keywords: 'export jsonl csv 내보내기' },
] as const

export const COMMANDS: readonly AppCommand[] = [
  ...PLACES.map(({ path, titleKey, keywords, icon }) => ({
    id: `go${path.replace('/', '-')}`,
    titleKey,
    keywords,
    icon,
    run: () => void router.push(path),
  })),
  {
    id: 'new-run',
    titleKey: 'app.commands.newRun',
    keywords: 'train 훈련',
    icon: Plus,
    run: () => void router.push('/runs/new'),
  },
  {
    id: 'theme',
    titleKey: 'app.commands.theme',
    keywords: 'dark light 어둡게 밝게',
    icon: Moon,
    run: () => chooseTheme(theme.value === 'dark' ? 'light' : 'dark'),
  },
  {
    id: 'language',
    titleKey: 'app.commands.language',
    keywords: 'english korean 영어 한국어',
    icon: Languages,
    run: () => chooseLanguage(language.value === 'en' ? 'ko' : 'en'),
  },
]
