/** Keeps the hub's access token in the system's keychain: encrypted bytes in the app's own folder, never in a workspace. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { app, safeStorage } from 'electron'
import { AppError } from '../../shared/errors'
import type { TokenVault } from '../hub/token'

const FILE = 'hub-token.bin'

async function unkeptReason(): Promise<string | null> {
  // On Linux without a keyring the key is a constant that everyone knows.
  const isPlain = process.platform === 'linux' && safeStorage.getSelectedStorageBackend() === 'basic_text'
  if (isPlain) return 'the system has no keyring service'
  return (await safeStorage.isAsyncEncryptionAvailable()) ? null : 'the system has no keychain'
}

/** Call after the app is ready. The keychain is not opened before the first question. */
export function openTokenVault(): TokenVault {
  const path = join(app.getPath('userData'), FILE)
  return {
    reason: unkeptReason,
    get: async () => {
      try {
        // The file first: without one the keychain need not be asked, which may open a dialog.
        const kept = await readFile(path)
        if ((await unkeptReason()) !== null) return null
        return (await safeStorage.decryptStringAsync(kept)).result
      } catch {
        // None was kept, or the keychain has changed since; then it has to be given again.
        return null
      }
    },
    set: async (token) => {
      if (token === null) return rm(path, { force: true })
      const reason = await unkeptReason()
      if (reason !== null) throw new AppError('hub-token-unkept', { reason })
      await mkdir(dirname(path), { recursive: true })
      const part = `${path}.part`
      await writeFile(part, await safeStorage.encryptStringAsync(token), { mode: 0o600 })
      await rename(part, path)
    },
  }
}
