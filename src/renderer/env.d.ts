/** Types of what the page finds around it. */
/// <reference types="vite/client" />

/** The bridge of the preload script; only there in the desktop app. */
type MonoscopeBridge = {
  send(message: unknown): void
  onMessage(listener: (message: unknown) => void): void
  /** Where a dropped file or folder lies; empty for one that is on no disk. */
  pathOf(file: File): string
}

interface Window {
  readonly monoscope?: MonoscopeBridge
}

/** The build of msgpackr that generates no code, which the content policy forbids. */
declare module 'msgpackr/index-no-eval' {
  export class Packr {
    constructor(options: object)
    pack(message: unknown): Uint8Array
    unpack(bytes: Uint8Array): unknown
  }
}

/** For tools that do not read .vue files themselves; vue-tsc uses the real types. */
declare module '*.vue' {
  import type { Component } from 'vue'
  const component: Component
  export default component
}
