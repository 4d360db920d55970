/** Addresses of the views. Hash addresses work in the window and in a browser alike. */
import { createRouter, createWebHashHistory } from 'vue-router'
import { useCurrentSae } from './current-sae.store'

export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: '/', redirect: '/library' },
    { path: '/library', component: () => import('../views/library/LibraryPage.vue') },
    { path: '/models/:modelId(\\d+)', component: () => import('../views/models/ModelPage.vue') },
    { path: '/runs', component: () => import('../views/runs/RunsPage.vue') },
    { path: '/runs/new', component: () => import('../views/runs/NewRunPage.vue') },
    { path: '/runs/:runId(\\d+)', component: () => import('../views/runs/RunsPage.vue') },
    // A link to the features of one autoencoder, whichever was looked at before.
    {
      path: '/features/:saeId(\\d+)',
      redirect: ({ params }) => {
        useCurrentSae().choose(Number(params.saeId))
        return '/features'
      },
    },
    { path: '/features/neurons', component: () => import('../views/features/neurons/NeuronsPage.vue') },
    { path: '/features/map', component: () => import('../views/features/map/MapPage.vue') },
    { path: '/features', component: () => import('../views/features/FeaturesPage.vue') },
    {
      path: '/features/:saeId(\\d+)/:featureIndex(\\d+)',
      component: () => import('../views/features/FeaturePage.vue'),
    },
    {
      path: '/features/:saeId(\\d+)/:featureIndex(\\d+)/with/:otherSaeId(\\d+)?/:otherIndex(\\d+)?',
      component: () => import('../views/features/compare/ComparePage.vue'),
    },
    { path: '/search/text', component: () => import('../views/text/TextPage.vue') },
    { path: '/search', component: () => import('../views/search/SearchPage.vue') },
    { path: '/safety', component: () => import('../views/safety/SafetyPage.vue') },
    { path: '/catalog', component: () => import('../views/catalog/CatalogPage.vue') },
    { path: '/:rest(.*)*', redirect: '/library' },
  ],
})
