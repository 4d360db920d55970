/** The desktop's keychain: encrypted bytes in the app's folder, and no word kept where the system has no real keychain. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openTokenVault } from '../../src/main/desktop/token-vault'

const TOKEN = 'hf_secretOfTheTests'

const system = vi.hoisted(() => ({ folder: '', backend: 'gnome_libsecret', isAvailable: true, asked: 0 }))
const flip = (bytes: Uint8Array) => Buffer.from(bytes.map((byte) => byte ^ 0x5a))

vi.mock('electron', () => ({
  app: { getPath: () => system.folder },
  safeStorage: {
    isAsyncEncryptionAvailable: () => Promise.resolve(system.isAvailable),
    getSelectedStorageBackend: () => system.backend,
    encryptStringAsync: (text: string) => Promise.resolve(flip(Buffer.from(text))),
    decryptStringAsync: (bytes: Buffer) => {
      system.asked++
      if (bytes.length === 0) return Promise.reject(new Error('not encrypted by this key'))
      return Promise.resolve({ result: flip(bytes).toString(), shouldReEncrypt: false })
    },
  },
}))

beforeEach(() => {
  Object.assign(system, { folder: mkdtempSync(join(tmpdir(), 'monoscope-vault-')), isAvailable: true, asked: 0 })
  system.backend = 'gnome_libsecret'
})
afterEach(() => rmSync(system.folder, { recursive: true, force: true }))

const file = () => join(system.folder, 'hub-token.bin')

describe('openTokenVault', () => {
  it('keeps a token encrypted, for this user only, and forgets it', async () => {
    const vault = openTokenVault()
    expect(await vault.get()).toBeNull()
    expect(system.asked).toBe(0)
    await vault.set(TOKEN)
    expect(readFileSync(file()).includes(TOKEN)).toBe(false)
    if (process.platform !== 'win32') expect(statSync(file()).mode & 0o777).toBe(0o600)
    expect(await openTokenVault().get()).toBe(TOKEN)
    await vault.set(null)
    expect(existsSync(file())).toBe(false)
    expect(await vault.get()).toBeNull()
  })

  it('has none when the keychain no longer opens what was kept', async () => {
    writeFileSync(file(), '')
    expect(await openTokenVault().get()).toBeNull()
    expect(system.asked).toBe(1)
  })

  it.each([
    ['no keychain', () => (system.isAvailable = false), true],
    ['a key that everyone knows', () => (system.backend = 'basic_text'), process.platform === 'linux'],
  ])('refuses where there is %s', async (_, take, isRefused) => {
    take()
    const vault = openTokenVault()
    expect((await vault.reason()) !== null).toBe(isRefused)
    const setting = vault.set(TOKEN)
    if (!isRefused) return setting
    await expect(setting).rejects.toMatchObject({ code: 'hub-token-unkept' })
    expect(existsSync(file())).toBe(false)
  })
})
