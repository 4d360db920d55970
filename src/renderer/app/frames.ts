/** Messages as WebSocket frames, with the options of main/web/frames.ts and without generated code. */
import { Packr } from 'msgpackr/index-no-eval'

const packr = new Packr({ structuredClone: true, moreTypes: true })

export const packFrame = (message: unknown): Uint8Array => packr.pack(message)
/** Throws when the bytes are no frame. */
export const unpackFrame = (bytes: Uint8Array): unknown => packr.unpack(bytes)
