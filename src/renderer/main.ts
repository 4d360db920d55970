/** Starts the page: fonts and styles, words, router, stores. */
import 'pretendard/dist/web/variable/pretendardvariable-dynamic-subset.css'
import '@fontsource-variable/jetbrains-mono/index.css'
import '@fontsource/nanum-gothic-coding/korean-400.css'
import './ui/tokens.css'
import './ui/components.css'
import './ui/extra.css'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { i18n } from './app/i18n'
import { router } from './app/router'

createApp(App).use(createPinia()).use(i18n).use(router).mount('#app')
