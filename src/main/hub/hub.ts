/** The hub room: how this process reaches the hub, whether it may, with which token, and its downloads. */
import { setTimeout as pause } from 'node:timers/promises'
import { HUB_URL } from '@huggingface/hub'
import type { HubStatus } from '../../shared/contract/hub'
import { cacheFolder, filled } from './cache'
import { Downloads } from './downloads'
import type { Fetch, HubAccess } from './http'
import { HubToken, type TokenVault } from './token'
import { freeBytesOf, Writers } from './work'

const OFFLINE_KEY = 'hub.offline'
const OFFLINE_VARIABLE = 'HF_HUB_OFFLINE'

export type HubOptions = {
  env: Record<string, string | undefined>
  /** Remembered values of the workspace; the token is not among them. */
  settings: { get(key: string): string | null; set(key: string, value: string): void }
  /** Null where the host has no keychain. */
  vault: TokenVault | null
  /** Folder for the rows of datasets. */
  corpora: string
  onUnexpected(error: unknown): void
  /** Stand-ins of the tests. */
  fetch?: Fetch
  wait?: HubAccess['wait']
  freeBytes?: (folder: string) => Promise<number>
}

export class Hub {
  readonly downloads: Downloads
  private readonly token: HubToken
  private readonly cacheFolder: string

  constructor(private readonly options: HubOptions) {
    const { env, corpora, onUnexpected } = options
    this.token = new HubToken(env, options.vault)
    this.cacheFolder = cacheFolder(env)
    this.downloads = new Downloads({
      access: {
        url: (filled(env.HF_ENDPOINT) ?? HUB_URL).replace(/\/+$/, ''),
        token: () => this.token.get(),
        fetch: options.fetch ?? globalThis.fetch,
        wait: options.wait ?? ((ms, signal) => pause(ms, undefined, { signal })),
      },
      cacheFolder: this.cacheFolder,
      offlineReason: () => this.offlineReason(),
      freeBytes: options.freeBytes ?? freeBytesOf,
      writers: new Writers(),
      corpora,
      onUnexpected,
    })
  }

  async status(): Promise<HubStatus> {
    return {
      isOffline: this.offlineReason() !== null,
      isOfflineByEnvironment: this.isOfflineByEnvironment,
      token: await this.token.origin(),
      canKeepToken: await this.token.canKeep(),
      cacheFolder: this.cacheFolder,
    }
  }

  setOffline(isOffline: boolean): void {
    this.options.settings.set(OFFLINE_KEY, String(isOffline))
  }

  /** @throws AppError `hub-token-unkept` */
  setToken(token: string | null): Promise<void> {
    return this.token.set(token)
  }

  /** Stops all downloads; what has arrived stays. */
  close(): Promise<void> {
    return this.downloads.close()
  }

  private get isOfflineByEnvironment(): boolean {
    return /^(1|true|yes|on)$/i.test(this.options.env[OFFLINE_VARIABLE] ?? '')
  }

  private offlineReason(): string | null {
    if (this.isOfflineByEnvironment) return OFFLINE_VARIABLE
    return this.options.settings.get(OFFLINE_KEY) === 'true' ? 'hub offline on' : null
  }
}
