/** The hub from the command line: a model is downloaded, Ctrl-C keeps what has arrived, and the token is written nowhere. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildEntries, lastJson, missingModel, modelFolder, removeEntries, startHeadless } from '../fixtures/built'
import { sha256, type HubServer } from '../fixtures/hub-server'
import { standInForHub } from './hub-cases'

const TOKEN = 'hf_secretOfTheTests'
const KEPT = 500_000

let folder = ''
let server: HubServer | null = null
beforeAll(async () => {
  await buildEntries()
  folder = mkdtempSync(join(tmpdir(), 'monoscope-hub-cli-'))
  if (!missingModel) server = await standInForHub(folder)
})
afterAll(async () => {
  await server?.close()
  rmSync(folder, { recursive: true, force: true })
  await removeEntries()
})

const command = (...args: string[]) =>
  startHeadless(['--workspace', join(folder, 'workspace'), ...args], { HF_TOKEN: TOKEN })

/** Bytes of a file, 0 before it is there. */
const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

describe.skipIf(missingModel)('models add hub:', () => {
  it('stops at Ctrl-C and goes on from there', async () => {
    server?.faults.set('model.safetensors', [{ stallAfter: KEPT }])
    const weights = readFileSync(join(modelFolder, 'model.safetensors'))
    const blob = join(folder, 'hub', 'models--tiny--stories', 'blobs', sha256(weights))
    const stopped = command('models', 'add', 'hub:tiny/stories')
    await expect.poll(() => sizeOf(`${blob}.incomplete`), { timeout: 60_000 }).toBe(KEPT)
    stopped.child.kill('SIGINT')
    const { code, stdout, stderr } = await stopped.ended
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' })
    expect(stderr).toContain('what has arrived is kept')
    expect(sizeOf(`${blob}.incomplete`)).toBe(KEPT)

    const again = await command('--json', 'models', 'add', 'hub:tiny/stories', '--name', 'tiny').ended
    expect(again).toMatchObject({ code: 0 })
    expect(lastJson(again.stdout)).toMatchObject({ name: 'tiny', family: 'llama' })
    expect(again.stderr).toContain('downloading tiny/stories: ')
    expect(server?.contentOf('model.safetensors').at(-1)).toMatchObject({ range: `bytes=${KEPT}-` })
    expect(readFileSync(blob).equals(weights)).toBe(true)
  })

  it('says in words why it cannot, and what the switch does', async () => {
    const wrong = await command('--json', 'models', 'add', 'hub:tiny').ended
    expect(wrong.code).toBe(1)
    expect(lastJson(wrong.stdout)).toMatchObject({ error: { code: 'hub-source-invalid' } })
    expect((await command('hub', 'offline', 'on').ended).stdout).toContain('Downloads are switched off')
    const offline = await command('--json', 'datasets', 'add', 'hub:tiny/texts', '--rows', '0..2').ended
    expect(lastJson(offline.stdout)).toMatchObject({ error: { code: 'hub-offline' } })
    await command('hub', 'offline', 'off').ended
    const status = await command('--json', 'hub', 'status').ended
    expect(lastJson(status.stdout)).toMatchObject({ isOffline: false, token: 'environment', canKeepToken: false })
    for (const { stdout, stderr } of [wrong, offline, status]) expect(stdout + stderr).not.toContain(TOKEN)
  })

  it('writes the token nowhere', () => {
    const told = server?.seen.filter((one) => one.server === 'hub').map((one) => one.authorization)
    expect(new Set(told)).toEqual(new Set([`Bearer ${TOKEN}`]))
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, name))
      .filter((path) => statSync(path).isFile())
    expect(files.some((path) => path.endsWith('workspace.sqlite'))).toBe(true)
    expect(files.filter((path) => readFileSync(path).includes(TOKEN))).toEqual([])
  })
})
