/** The build of msgpackr that the page uses, for the test that holds both sides of the wire equal. */
declare module 'msgpackr/index-no-eval' {
  export class Packr {
    constructor(options: object)
    pack(message: unknown): Uint8Array
    unpack(bytes: Uint8Array): unknown
  }
}
