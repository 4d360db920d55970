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

type Image = Size & { pixels: Uint32Array }

/** Pixels of a disc from its middle one: wholly covered ones, then those of its soft edge with 256ths of cover. */
type Disc = { reach: number; dx: Int32Array; dy: Int32Array; offsets: Int32Array; cover: Int32Array; solid: number }

function makeDisc(radius: number, width: number): Disc {
  const reach = Math.ceil(radius)
  const pixels: { dx: number; dy: number; cover: number }[] = []
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      // The edge is one pixel wide.
      const cover = Math.round(256 * Math.max(0, Math.min(1, radius + 0.5 - Math.hypot(dx, dy))))
      if (cover > 0) pixels.push({ dx, dy, cover })
    }
  }
  const sorted = pixels.toSorted((one, other) => other.cover - one.cover)
  return {
    reach,
    dx: Int32Array.from(sorted, ({ dx }) => dx),
    dy: Int32Array.from(sorted, ({ dy }) => dy),
    offsets: Int32Array.from(sorted, ({ dx, dy }) => dy * width + dx),
    cover: Int32Array.from(sorted, ({ cover }) => cover),
    solid: sorted.filter(({ cover }) => cover === 256).length,
  }
}

/** 256ths of one packed colour over another: red and blue in one multiplication, they do not run into each other. */
function blend(under: number, over: number, cover: number): number {
  const rest = 256 - cover
  const redBlue = ((under & 0xff00ff) * rest + (over & 0xff00ff) * cover) >>> 8
  const green = ((under & 0xff00) * rest + (over & 0xff00) * cover) >>> 8
  return 0xff000000 | (redBlue & 0xff00ff) | (green & 0xff00)
}

/** Puts a disc wholly on the image. */
function stamp({ pixels }: Image, { offsets, cover, solid }: Disc, middle: number, packed: number): void {
  for (let k = 0; k < solid; k++) pixels[middle + (offsets[k] ?? 0)] = packed
  for (let k = solid; k < offsets.length; k++) {
    const at = middle + (offsets[k] ?? 0)
    pixels[at] = blend(pixels[at] ?? 0, packed, cover[k] ?? 0)
  }
}

/** Puts what is on the image of a disc at its edge. */
function stampEdge({ pixels, width, height }: Image, disc: Disc, spot: { x: number; y: number; packed: number }): void {
  disc.cover.forEach((cover, k) => {
    const [x, y] = [spot.x + (disc.dx[k] ?? 0), spot.y + (disc.dy[k] ?? 0)]
    if (x < 0 || y < 0 || x >= width || y >= height) return
    pixels[y * width + x] = blend(pixels[y * width + x] ?? 0, spot.packed, cover)
  })
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
  const disc = makeDisc(radius, width)
  const { reach } = disc
  const plain = Int32Array.from(palette, pack)
  const faded = Int32Array.from(palette, (colour) => pack(mixRgb(background, colour, FADED)))
  const [left, top] = [width / 2 - view.x * view.scale, height / 2 + view.y * view.scale]
  const pass = (wanted: 0 | 1, shades: Int32Array) => {
    for (let i = 0; i < colours.length; i++) {
      if (marked && marked[i] !== wanted) continue
      const x = Math.round(left + (positions[2 * i] ?? 0) * view.scale)
      const y = Math.round(top - (positions[2 * i + 1] ?? 0) * view.scale)
      if (x < -reach || y < -reach || x >= width + reach || y >= height + reach) continue
      const packed = shades[colours[i] ?? 0] ?? 0
      const isInside = x >= reach && y >= reach && x < width - reach && y < height - reach
      if (isInside) stamp(image, disc, y * width + x, packed)
      else stampEdge(image, disc, { x, y, packed })
    }
  }
  if (marked) pass(0, faded)
  pass(1, plain)
}
