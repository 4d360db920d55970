/** Types of AssemblyScript that ./assembly/places.ts uses, and what importing the compiled kernels gives. */
declare type i32 = number

declare module '*?assemblyscript' {
  /** The WebAssembly module, base64. */
  const code: string
  export default code
}

/** The part of WebAssembly that is used; Node has it, its types leave it to browsers. */
declare namespace WebAssembly {
  function validate(bytes: Uint8Array): boolean
  class Memory {
    constructor(descriptor: { initial: number; maximum: number; shared: boolean })
    readonly buffer: SharedArrayBuffer
    grow(pages: number): number
  }
  class Module {
    constructor(bytes: Uint8Array)
    /** Only here to tell it from other objects. */
    private readonly isModule: true
  }
  class Instance {
    constructor(module: Module, imports: { env: { memory: Memory } })
    readonly exports: Record<string, unknown>
  }
}
