/** Whole processes: the command line, a second process on one workspace, and kills in the middle of a training. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { runCommandLine } from '../../src/main/cli/program'
import { openMonoscope, type Monoscope } from '../../src/main/monoscope'
import { connectToHost } from '../../src/main/web/client'
import { writeNewFile } from '../../src/main/handlers/new-file'
import {
  buildEntries,
  lastJson,
  missingModel,
  modelFolder,
  removeEntries,
  smallCorpus,
  startHeadless,
  tinyConfig,
  headlessPath,
  workerPath,
} from '../fixtures/built'

let folder = ''
let corpus = ''
beforeAll(async () => {
  await buildEntries()
  folder = await mkdtemp(join(tmpdir(), 'monoscope-processes-'))
  process.env.MONOSCOPE_BACKEND = 'wasm'
  if (!missingModel) corpus = smallCorpus(join(folder, 'stories.jsonl'), 60)
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
  await removeEntries()
})

const never = new AbortController().signal
const open = (name: string): Promise<Monoscope> =>
  openMonoscope({ folder: join(folder, name), workerPath, host: 'cli', version: '0', checkpointMinutes: 0.001 })

/** A workspace with the model and text in it, and a training that would take long. */
async function startLong(monoscope: Monoscope): Promise<number> {
  const { handlers } = monoscope
  const model = await handlers['models.add']({ path: modelFolder }, never)
  const dataset = await handlers['datasets.add']({ path: corpus, textField: 'text', deduplicate: false }, never)
  const run = await handlers['runs.start'](
    { name: 'long', config: tinyConfig(model.id, dataset.id, 100_000), atlas: true },
    never,
  )
  return run.id
}

const checkpointed = (monoscope: Monoscope, runId: number) =>
  expect.poll(() => monoscope.store.saes.ofRun(runId)?.partial, { timeout: 60_000 }).toBe(true)

/** Builds an atlas of the run's checkpoint, which shows that it is whole. */
async function expectUsable(monoscope: Monoscope, runId: number): Promise<void> {
  const sae = monoscope.store.saes.ofRun(runId)
  expect(sae).toMatchObject({ partial: true })
  const [dataset] = monoscope.store.datasets.list()
  const job = await monoscope.handlers['atlas.start']({ saeId: sae?.id ?? 0, datasetId: dataset?.id ?? 0 }, never)
  await expect.poll(() => monoscope.store.jobs.get(job.id).state, { timeout: 60_000 }).toMatch(/done|failed/)
  expect(monoscope.store.jobs.get(job.id)).toMatchObject({ state: 'done', failure: null })
}

it.skipIf(process.platform === 'win32')(
  'the npm scripts pass on what ends them, and leave nothing behind',
  async () => {
    const child = spawn(
      process.execPath,
      ['scripts/run.mjs', 'monoscope', '--workspace', join(folder, 'passed-on'), 'serve'],
      {
        ...{ cwd: join(import.meta.dirname, '../..'), stdio: ['ignore', 'pipe', 'inherit'] },
      },
    )
    const ended = once(child, 'exit')
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const { port } = new URL(/http\S+/.exec(String(line))?.[0] ?? '')
    child.kill('SIGTERM')
    await ended
    // The program gave its port back before its starter ended.
    const knock = connect({ port: Number(port), host: '127.0.0.1' })
    const [refused] = (await once(knock, 'error')) as [NodeJS.ErrnoException]
    expect(refused.code).toBe('ECONNREFUSED')
  },
)

describe.skipIf(missingModel)('kills', () => {
  it('a killed worker leaves a failed run and a usable checkpoint', async () => {
    const monoscope = await open('worker-killed')
    const runId = await startLong(monoscope)
    await checkpointed(monoscope, runId)
    process.kill(monoscope.queue.workerPid ?? 0, 'SIGKILL')
    await expect.poll(() => monoscope.store.runs.get(runId).state, { timeout: 20_000 }).toBe('failed')
    expect(monoscope.store.runs.get(runId).failure).toMatchObject({
      code: 'worker-crashed',
      details: { reason: 'signal SIGKILL' },
    })
    await expectUsable(monoscope, runId)
    await monoscope.close()
  })

  it('a killed main leaves a workspace that opens with the run interrupted', async () => {
    const workspace = join(folder, 'main-killed')
    const first = await open('main-killed')
    await startLongSetup(first)
    await first.close()
    const args = ['train', '--d-sae', '64', '--batch-tokens', '256', '--steps', '4000', '--buffer-tokens', '2048']
    const { child, ended } = startHeadless([...args, '--workspace', workspace, '--json'])
    const checkpoint = join(workspace, 'runs', '1', 'sae-checkpoint', 'sae_weights.safetensors')
    await expect.poll(() => existsSync(checkpoint), { timeout: 60_000 }).toBe(true)
    // The message about the checkpoint follows the files.
    await new Promise((resolve) => setTimeout(resolve, 300))
    child.kill('SIGKILL')
    expect((await ended).signal).toBe('SIGKILL')
    const again = await open('main-killed')
    expect(again.store.runs.get(1).state).toBe('interrupted')
    expect(again.store.jobs.next()).toBeNull()
    await expectUsable(again, 1)
    await again.close()
  })

  async function startLongSetup({ handlers }: Monoscope): Promise<void> {
    await handlers['models.add']({ path: modelFolder }, never)
    await handlers['datasets.add']({ path: corpus, textField: 'text', deduplicate: false }, never)
  }

  it('Ctrl-C writes a checkpoint and ends cleanly', async () => {
    const workspace = join(folder, 'main-killed')
    const args = ['train', '--d-sae', '64', '--batch-tokens', '256', '--steps', '100000', '--buffer-tokens', '2048']
    const { child, ended } = startHeadless([...args, '--workspace', workspace, '--json'])
    await expect.poll(() => existsSync(join(workspace, 'runs', '2', 'metrics.jsonl')), { timeout: 60_000 }).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 500))
    child.kill('SIGINT')
    const { code, stdout, stderr } = await ended
    expect(stderr).toContain('a last checkpoint is being written')
    expect(lastJson(stdout)).toMatchObject({ state: 'cancelled', id: 2 })
    expect(code).toBe(130)
    expect(existsSync(join(workspace, 'workspace.lock'))).toBe(false)
  })

  it('runs resume goes on with what was cut off, and says why it cannot', async () => {
    const args = ['--workspace', join(folder, 'main-killed'), '--json']
    const { ended } = startHeadless(['runs', 'resume', '1', ...args])
    const { code, stdout } = await ended
    expect(stdout).toContain('"state":"done"')
    // The atlas that was to follow the training has come.
    expect(lastJson(stdout)).toMatchObject({ runId: 1, partial: false, atlas: { documents: 60 } })
    expect(code).toBe(0)
    const again = await startHeadless(['runs', 'resume', '1', ...args]).ended
    expect(lastJson(again.stdout)).toMatchObject({ error: { code: 'run-not-resumable', details: { state: 'done' } } })
    expect(again.code).toBe(1)
  })
})

describe('a second process', () => {
  it('asks the owner, and its answers are the same', async () => {
    const monoscope = await open('owned')
    const workspace = join(folder, 'owned')
    monoscope.store.models.add({
      ...{
        name: 'made up',
        path: '/m',
        family: 'llama',
        layers: 1,
        dModel: 1,
        heads: 1,
        vocabulary: 1,
        contextSize: 1,
      },
      ...{ dtype: 'float32', parameters: 1, weightBytes: 1, memoryBytes: 4, sha256: 'x', source: null },
      ...{ absentHooks: [], unusedTensors: { count: 0, first: [] }, nanTensors: { count: 0, first: [] } },
      hasChatTemplate: false,
      startTokens: null,
    })
    const { code, stdout, stderr } = await startHeadless(['models', 'list', '--json', '--workspace', workspace]).ended
    expect({ code, rows: lastJson(stdout) }).toEqual({ code: 0, rows: monoscope.store.models.list()[0] })
    expect(stderr).toContain(`open in process ${process.pid}`)
    await expect(open('owned')).rejects.toMatchObject({ code: 'workspace-open' })
    await monoscope.close()
  })

  it('takes over after the owner was killed', async () => {
    const workspace = join(folder, 'served')
    const { child, ended } = startHeadless(['serve', '--json', '--workspace', workspace])
    const printed = await new Promise((resolve) => child.stdout?.once('data', resolve))
    const { address } = JSON.parse(String(printed)) as { address: string }
    expect(await (await fetch(address)).text()).toContain('<title>Monoscope</title>')
    const { port, searchParams } = new URL(address)
    const { client, close } = await connectToHost({ port: Number(port), token: searchParams.get('token') ?? '' })
    expect(await client.call('app.info', {})).toMatchObject({ host: 'browser', hasDialogs: false })
    close()
    expect(existsSync(join(workspace, 'workspace.lock'))).toBe(true)
    child.kill('SIGKILL')
    await ended
    expect(existsSync(join(workspace, 'workspace.lock'))).toBe(true)
    const monoscope = await open('served')
    await monoscope.close()
    expect(existsSync(join(workspace, 'workspace.lock'))).toBe(false)
  })
})

describe('command line', () => {
  it.each([
    { args: ['demo', '--model', 'x', '--json'], code: 2, says: 'Give both --model DIR and --dataset FILE' },
    { args: ['nonsense', '--json'], code: 2, says: 'unknown command' },
    { args: ['features', 'list', '--json'], code: 1, says: 'There is no SAE' },
    { args: ['features', 'list', '--json', '--lang', 'ko'], code: 1, says: '목록을 새로 고치세요' },
    { args: ['datasets', 'add', 'no-such-file', '--json'], code: 1, says: 'no-such-file does not exist' },
  ])('$args ends with $code and an error for programs', async ({ args, code, says }) => {
    const ended = await startHeadless([...args, '--workspace', join(folder, 'cli')]).ended
    expect(ended.code).toBe(code)
    expect(lastJson(ended.stdout)).toMatchObject({ error: { message: expect.stringContaining(says) as string } })
  })

  it('means relative paths from where npm was called', async () => {
    const workspace = join(folder, 'cli')
    const ended = await startHeadless(['models', 'add', 'here', '--workspace', workspace, '--json'], {
      INIT_CWD: folder,
    }).ended
    expect(lastJson(ended.stdout)).toMatchObject({ error: { details: { path: join(folder, 'here') } } })
  })

  it('ends when nobody reads what it says', { timeout: 60_000 }, async () => {
    const { child } = startHeadless(['models', 'add', 'no-such-folder', '--workspace', join(folder, 'unread')])
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.stdout?.destroy()
    child.stderr?.destroy()
    // It would be 1 but for the pipe that is gone; what counts is that it ends.
    expect(await ended).not.toBeNull()
  })

  it('says where the bundled demo should be', async () => {
    const program = {
      entryPath: headlessPath,
      workerPath,
      rendererFolder: folder,
      demoFolder: join(folder, 'no-demo'),
      version: '0',
    }
    const printed = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    const code = await runCommandLine(['demo', '--json', '--workspace', join(folder, 'cli')], program, never)
    const said = printed.mock.calls.map(([text]) => String(text)).join('')
    printed.mockRestore()
    expect(code).toBe(1)
    expect(said).toContain('The bundled demo is not in')
  })

  it('speaks the language of the environment', async () => {
    const env = { LC_ALL: 'ko_KR.UTF-8' }
    const ended = await startHeadless(['models', 'list', '--workspace', join(folder, 'cli')], env).ended
    expect(ended).toMatchObject({ code: 0, stdout: '아직 아무것도 없습니다.\n' })
  })

  it('refuses a workspace from the future with status 1', async () => {
    const monoscope = await open('future')
    await monoscope.close()
    const setVersion = `new (require('better-sqlite3'))(process.argv[1]).pragma('user_version = 99')`
    spawnSync(process.execPath, ['-e', setVersion, join(folder, 'future', 'workspace.sqlite')])
    const ended = await startHeadless(['models', 'list', '--json', '--workspace', join(folder, 'future')]).ended
    expect(ended.code).toBe(1)
    expect(lastJson(ended.stdout)).toMatchObject({ error: { code: 'workspace-too-new', details: { found: 99 } } })
  })
})

describe('monoscope repair', () => {
  it('gives labels back after the database was damaged', async () => {
    const workspace = join(folder, 'damaged')
    const monoscope = await open('damaged')
    const model = await monoscope.handlers['models.add']({ path: modelFolder }, never)
    const sae = monoscope.store.saes.put({
      ...{
        name: 'sae',
        runId: null,
        modelId: model.id,
        hookName: 'blocks.2.hook_resid_post',
        architecture: 'standard',
      },
      ...{ dIn: model.dModel, dSae: 16, contextSize: 16, path: '/saes/x', sha256: 'x', partial: false, summary: null },
      ...{ backend: null, seed: 0 },
    })
    const label = { saeId: sae.id, featureIndex: 3, text: '개 이름', author: 'me' }
    await monoscope.handlers['features.label'](label, never)
    await monoscope.close()
    const file = join(workspace, 'workspace.sqlite')
    writeFileSync(file, Buffer.alloc(100_000, 'no database'))
    const refused = await startHeadless(['models', 'list', '--json', '--workspace', workspace]).ended
    expect(lastJson(refused.stdout)).toMatchObject({ error: { code: 'workspace-damaged' } })
    const repaired = await startHeadless(['repair', '--json', '--workspace', workspace]).ended
    expect(repaired.code).toBe(0)
    expect(lastJson(repaired.stdout)).toMatchObject({ rows: { label: 1, sae: 1, model: 1 } })
    const again = await open('damaged')
    expect(again.store.labels.of(sae.id, 3)).toMatchObject([{ text: '개 이름', chosen: true }])
    await again.close()
    const sound = await startHeadless(['repair', '--json', '--workspace', workspace]).ended
    expect(lastJson(sound.stdout)).toMatchObject({ error: { code: 'workspace-sound' } })
  })
})

describe('a full disk', () => {
  it('stops a catalog with the reason and leaves no half file', async ({ skip }) => {
    const mount = join(folder, 'tiny')
    mkdirSync(mount)
    const mounted =
      process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', mount]).status === 0
    if (!mounted) return skip('a small tmpfs cannot be mounted here')
    try {
      const lines = Array.from({ length: 100 }, () => 'x'.repeat(4096))
      await expect(writeNewFile({ folder: mount, name: 'a', extension: 'csv' }, lines)).rejects.toMatchObject({
        code: 'disk-full',
      })
      expect(existsSync(join(mount, 'a.csv'))).toBe(false)
      const { path } = await writeNewFile({ folder: mount, name: 'a', extension: 'csv' }, ['fits'])
      expect(readFileSync(path, 'utf8')).toBe('fits')
    } finally {
      spawnSync('umount', [mount])
    }
  })
})
