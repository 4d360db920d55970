/** Where the access token for gated repositories comes from. It is read when a request is made and kept nowhere else. */
import { AppError } from '../../shared/errors'

/** Keeps one token encrypted by the system; only some hosts have one. */
export type TokenVault = {
  get(): Promise<string | null>
  /** Null forgets it. */
  set(token: string | null): Promise<void>
  /** Why it cannot keep a token here, or null when it can. */
  reason(): Promise<string | null>
}

export type TokenOrigin = 'none' | 'environment' | 'keychain'

/** A header takes printable characters only; anything else is no token. */
const isToken = (text: string): boolean => /^[\x21-\x7e]{1,1000}$/.test(text)

export class HubToken {
  constructor(
    private readonly env: Record<string, string | undefined>,
    private readonly vault: TokenVault | null,
  ) {}

  async get(): Promise<string | null> {
    return this.fromEnvironment() ?? (await this.fromVault())
  }

  async origin(): Promise<TokenOrigin> {
    if (this.fromEnvironment() !== null) return 'environment'
    return (await this.fromVault()) === null ? 'none' : 'keychain'
  }

  async canKeep(): Promise<boolean> {
    return (await this.vault?.reason()) === null
  }

  /** @throws AppError `hub-token-unkept` */
  async set(token: string | null): Promise<void> {
    if (this.vault === null) throw new AppError('hub-token-unkept', { reason: 'only the desktop app has a keychain' })
    const reason = await this.vault.reason()
    if (reason !== null) throw new AppError('hub-token-unkept', { reason })
    if (token !== null && !isToken(token)) {
      throw new AppError('hub-token-unkept', { reason: 'it has characters that no token has' })
    }
    await this.vault.set(token)
  }

  private fromEnvironment(): string | null {
    const given = [this.env.HF_TOKEN, this.env.HUGGING_FACE_HUB_TOKEN].map((text) => text?.trim() ?? '')
    return given.find(isToken) ?? null
  }

  private async fromVault(): Promise<string | null> {
    const kept = (await this.vault?.get()) ?? null
    return kept !== null && isToken(kept) ? kept : null
  }
}
