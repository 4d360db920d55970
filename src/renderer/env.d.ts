/** Types of what the page finds around it. */
/// <reference types="vite/client" />

/** The bridge of the preload script; only there in the desktop app. */
type MonoscopeBridge = {
  send(message: unknown): void
  onMessage(listener: (message: unknown) => void): void
}

interface Window {
  readonly monoscope?: MonoscopeBridge
}

/** The build of msgpackr that generates no code, which the content policy forbids. */
declare module 'msgpackr/index-no-eval' {
  export { Packr } from 'msgpackr'
}
