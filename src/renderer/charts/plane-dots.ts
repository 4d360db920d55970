/** Draws many points as discs straight into the pixels of an image: a hundred thousand in one frame, where a path for each takes many. */
import type { PlaneView, Size } from './plane-view'

export type Rgb = readonly [number, number, number]

export type Dots = {
  /** [n, 2] */
  positions: Float32Array
  /** [n] into `palette`. */
  colours: Uint8Array
  palette: readonly Rgb[]
  /** [n] 1 for points that stand out: the others are drawn first and fade; null where none does. */
  marked: Uint8Array | null
  background: Rgb
  /** Of a point, in pixels of the image. */
  radius: number
}

/** Share of its colour that is left of a point that fades. */
const FADED = 0.22

const pack = ([r, g, b]: Rgb) => (255 << 24) | (b << 16) | (g << 8) | r
export const mixRgb = (from: Rgb, to: Rgb, share: number): Rgb => [
  Math.round(from[0] + (to[0] - from[0]) * share),
  Math.round(from[1] + (to[1] - from[1]) * share),
  Math.round(from[2] + (to[2] - from[2]) * share),
]

/** `#rrggbb` or `#rgb`, as the tokens are written and as the build shortens them; black for anything else. */
export function rgbOf(hex: string): Rgb {
  const digits = /^#((?:[0-9a-f]{3}){1,2})$/i.exec(hex.trim())?.[1] ?? '000'
  const width = digits.length / 3
  const part = (at: number) => parseInt(digits.slice(at * width, (at + 1) * width).repeat(3 - width), 16)
  return [part(0), part(1), part(2)]
}

/** A disc: how far its pixels are from the middle one, and how much of each it covers, 0 to 1. */
type Disc = { dx: Int16Array; dy: Int16Array; cover: Float32Array; reach: number }

function makeDisc(radius: number): Disc {
  const reach = Math.ceil(radius)
  const pixels: { dx: number; dy: number; cover: number }[] = []
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      // Half a pixel of soft edge.
      const cover = Math.max(0, Math.min(1, radius + 0.5 - Math.hypot(dx, dy)))
      if (cover > 0) pixels.push({ dx, dy, cover })
    }
  }
  return {
    dx: Int16Array.from(pixels, ({ dx }) => dx),
    dy: Int16Array.from(pixels, ({ dy }) => dy),
    cover: Float32Array.from(pixels, ({ cover }) => cover),
    reach,
  }
}

type Image = Size & { pixels: Uint32Array }

/** Puts a disc where it is wholly or partly on the image. */
function stamp(
  { pixels, width, height }: Image,
  disc: Disc,
  { x, y, packed }: { x: number; y: number; packed: number },
) {
  const [r, g, b] = [packed & 255, (packed >> 8) & 255, (packed >> 16) & 255]
  const { dx, dy, cover } = disc
  for (let k = 0; k < cover.length; k++) {
    const [px, py] = [x + (dx[k] ?? 0), y + (dy[k] ?? 0)]
    if (px < 0 || py < 0 || px >= width || py >= height) continue
    const at = py * width + px
    const share = cover[k] ?? 0
    if (share === 1) {
      pixels[at] = packed
      continue
    }
    const under = pixels[at] ?? 0
    const [ur, ug, ub] = [under & 255, (under >> 8) & 255, (under >> 16) & 255]
    pixels[at] =
      (255 << 24) |
      (Math.round(ub + (b - ub) * share) << 16) |
      (Math.round(ug + (g - ug) * share) << 8) |
      Math.round(ur + (r - ur) * share)
  }
}

/**
 * Fills an image with the points that a view shows.
 * @param pixels [height, width] as a canvas keeps them
 * @param view its `scale` in pixels of the image
 */
export function drawDots(image: Image, view: PlaneView, dots: Dots): void {
  const { positions, colours, palette, marked, background, radius } = dots
  const { width, height, pixels } = image
  pixels.fill(pack(background))
  const disc = makeDisc(radius)
  const plain = Int32Array.from(palette, pack)
  const faded = Int32Array.from(palette, (colour) => pack(mixRgb(background, colour, FADED)))
  const [left, top] = [width / 2 - view.x * view.scale, height / 2 + view.y * view.scale]
  const pass = (wanted: 0 | 1, shades: Int32Array) => {
    for (let i = 0; i < colours.length; i++) {
      if (marked && marked[i] !== wanted) continue
      const x = Math.round(left + (positions[2 * i] ?? 0) * view.scale)
      const y = Math.round(top - (positions[2 * i + 1] ?? 0) * view.scale)
      if (x < -disc.reach || y < -disc.reach || x >= width + disc.reach || y >= height + disc.reach) continue
      stamp(image, disc, { x, y, packed: shades[colours[i] ?? 0] ?? 0 })
    }
  }
  if (marked) pass(0, faded)
  pass(1, plain)
}
