/** Frames of the WebSocket: msgpack with typed arrays kept as typed arrays. The page uses the same options. */
import { Packr } from 'msgpackr'

export const FRAME_OPTIONS = { structuredClone: true, moreTypes: true } as const
/** Largest frame either side takes. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024

const packr = new Packr(FRAME_OPTIONS)

export const packFrame = (message: unknown): Uint8Array => packr.pack(message)

/** Throws when the bytes are no frame. */
export const unpackFrame = (bytes: Uint8Array): unknown => packr.unpack(bytes)
