/** The import law: which room may import which. A room that needs a new arrow changes this file in the same commit and says why. */
const main = (room) => `^src/main/${room}/`
const onlyFrom = (name, comment, to, from) => ({
  name,
  comment,
  severity: 'error',
  from: { path: '^src', pathNot: from },
  to: { path: to },
})
const never = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

module.exports = {
  forbidden: [
    never('no-cycles', 'A cycle means two files are one.', {}, { circular: true }),
    never(
      'nothing-unresolved',
      'Every import must resolve.',
      {},
      { couldNotResolve: true, pathNot: '\\?raw$|^electron$' },
    ),
    never(
      'shared-is-a-leaf',
      'Both sides depend on shared; it depends on zod only.',
      { path: '^src/shared' },
      {
        pathNot: '^src/shared|node_modules/zod',
      },
    ),
    never(
      'renderer-stays-in-the-page',
      'The page reaches main through the wire only.',
      { path: '^src/renderer' },
      {
        path: '^src/(main|preload)',
      },
    ),
    never('renderer-has-no-node', 'The page is sandboxed.', { path: '^src/renderer' }, { dependencyTypes: ['core'] }),
    never('main-knows-no-page', 'Main serves any page.', { path: '^src/main' }, { path: '^src/renderer' }),
    never(
      'preload-is-alone',
      'Preload exposes two functions.',
      { path: '^src/preload' },
      { path: '^src/(main|renderer|shared)' },
    ),
    never(
      'engine-knows-no-host',
      'Numbers know no database, window, job or wire.',
      { path: main('engine') },
      {
        path: '^src/main/(store|jobs|handlers|desktop|web|cli|tasks)/',
      },
    ),
    never(
      'files-are-low',
      'File formats depend on shared only.',
      { path: main('files') },
      {
        path: '^src/main/(?!files/)',
      },
    ),
    never(
      'store-is-only-sql',
      'The store reads files that workers wrote, nothing else.',
      { path: main('store') },
      {
        path: '^src/main/(?!store/|files/)',
      },
    ),
    never(
      'jobs-do-not-compute',
      'Main supervises; a worker computes.',
      { path: main('jobs') },
      {
        path: '^src/main/(engine|tasks|handlers|desktop|web|cli)/',
      },
    ),
    never(
      'handlers-do-not-compute',
      'Handlers parse, call and reply.',
      { path: main('handlers') },
      {
        path: '^src/main/(engine|tasks|desktop|web|cli)/',
      },
    ),
    never(
      'tasks-write-files-and-messages',
      'A worker never sees the database.',
      { path: main('tasks') },
      {
        path: '^src/main/(store|handlers|desktop|web|cli)/|^src/main/jobs/(?!messages)',
      },
    ),
    onlyFrom('engine-runs-in-workers', 'Only tasks and the worker entry start numbers.', main('engine'), [
      main('engine'),
      main('tasks'),
      '^src/main/worker\\.ts$',
    ]),
    onlyFrom('electron-in-desktop', 'One room knows Electron.', '^(node_modules/)?electron(/|$)', [
      main('desktop'),
      '^src/main/index\\.ts$',
      '^src/preload/',
    ]),
    onlyFrom('tfjs-behind-one-door', 'engine/tf.ts chooses the backend.', 'node_modules/@tensorflow/', [
      '^src/main/engine/tf\\.ts$',
    ]),
    onlyFrom(
      'sqlite-in-store',
      'SQL never leaves the store; the workspace lock uses an empty database as a gate that the system closes when a process dies.',
      'node_modules/(better-sqlite3|kysely)/',
      [main('store'), main('workspace')],
    ),
    onlyFrom('charts-own-uplot', 'Charts hide their library.', 'node_modules/uplot/', [
      '^src/renderer/(charts|main\\.ts)',
    ]),
    onlyFrom('kit-owns-reka', 'The kit hides its library.', 'node_modules/reka-ui/', [
      '^src/renderer/ui/',
      '^src/renderer/app/CommandPalette\\.vue$',
    ]),
    never(
      'views-are-islands',
      'A view never imports another view.',
      { path: '^src/renderer/views/([^/]+)/' },
      {
        path: '^src/renderer/views/',
        pathNot: '^src/renderer/views/$1/',
      },
    ),
    never(
      'charts-hold-no-state',
      'Props in, events out.',
      { path: '^src/renderer/charts/' },
      {
        path: '^src/renderer/views/|\\.store\\.ts$',
      },
    ),
    never(
      'kit-has-no-domain',
      'The kit knows no feature, run or model.',
      { path: '^src/renderer/ui/' },
      {
        path: '^src/renderer/(views|charts)/|^src/shared/(domain|contract)',
      },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.node.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.vue', '.mjs', '.cjs', '.js', '.json', '.css'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
