/** Views, hits, lassos, colours and pixels of a plane of points, against plain recomputation. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { enclosed, isInside } from '../../../src/renderer/charts/lasso'
import { drawDots, mixRgb, rgbOf } from '../../../src/renderer/charts/plane-dots'
import { PlaneGrid } from '../../../src/renderer/charts/plane-grid'
import { fitView, panBy, toPlane, toScreen, zoomAt } from '../../../src/renderer/charts/plane-view'
import { byGroup, byLogarithm, byMembership, logRange, markRows } from '../../../src/renderer/charts/point-colours'

const size = { width: 400, height: 300 }
const coordinate = fc.float({ min: -50, max: 50, noNaN: true })
const positionsArbitrary = fc
  .array(fc.tuple(coordinate, coordinate), { minLength: 1, maxLength: 60 })
  .map((points) => Float32Array.from(points.flat()))

describe('a view', () => {
  it('shows every point when it is fitted', () => {
    fc.assert(
      fc.property(positionsArbitrary, (positions) => {
        const view = fitView(positions, size)
        for (let at = 0; at < positions.length; at += 2) {
          const { x, y } = toScreen(view, size, { x: positions[at] ?? 0, y: positions[at + 1] ?? 0 })
          expect(x).toBeGreaterThanOrEqual(0)
          expect(x).toBeLessThanOrEqual(size.width)
          expect(y).toBeGreaterThanOrEqual(0)
          expect(y).toBeLessThanOrEqual(size.height)
        }
      }),
    )
    const [row] = [1]
    expect(fitView(Float32Array.of(0, 0, 8, 3), size, [row])).toMatchObject({ x: 8, y: 3 })
    expect(fitView(new Float32Array(0), size)).toEqual({ x: 0, y: 0, scale: 1 })
  })

  it('keeps what is under the pointer when it zooms, and moves by what was dragged', () => {
    const view = { x: 3, y: -2, scale: 20 }
    const spot = { x: 90, y: 40 }
    const under = toPlane(view, size, spot)
    const zoomed = zoomAt(view, size, 2.5, spot)
    expect(zoomed.scale).toBe(50)
    expect(toScreen(zoomed, size, under).x).toBeCloseTo(spot.x, 9)
    expect(toScreen(zoomed, size, under).y).toBeCloseTo(spot.y, 9)
    const moved = toScreen(panBy(view, { x: 7, y: -5 }), size, under)
    expect(moved.x).toBeCloseTo(spot.x + 7, 9)
    expect(moved.y).toBeCloseTo(spot.y - 5, 9)
    // Up on the screen is up in the plane.
    expect(toPlane(view, size, { x: 0, y: 0 }).y).toBeGreaterThan(toPlane(view, size, { x: 0, y: 10 }).y)
  })
})

describe('the grid', () => {
  it('finds the point that looking at every one finds', () => {
    fc.assert(
      fc.property(
        positionsArbitrary,
        coordinate,
        coordinate,
        fc.integer({ min: 0, max: 40 }),
        (positions, x, y, radius) => {
          let [best, expected] = [radius * radius, -1]
          for (let i = 0; 2 * i < positions.length; i++) {
            const distance = ((positions[2 * i] ?? 0) - x) ** 2 + ((positions[2 * i + 1] ?? 0) - y) ** 2
            if (distance < best || (distance === best && expected < 0)) [best, expected] = [distance, i]
          }
          expect(new PlaneGrid(positions).nearest({ x, y }, radius)).toBe(expected < 0 ? null : expected)
        },
      ),
    )
  })

  it('bears no points, one, and all at one place', () => {
    expect(new PlaneGrid(new Float32Array(0)).nearest({ x: 0, y: 0 }, 5)).toBeNull()
    expect(new PlaneGrid(Float32Array.of(2, 2)).nearest({ x: 3, y: 2 }, 1)).toBe(0)
    expect(new PlaneGrid(new Float32Array(20).fill(1)).nearest({ x: 1, y: 1 }, 0)).toBe(0)
  })
})

describe('a lasso', () => {
  // A letter C: the notch in its side is outside.
  const letter = [
    ...[
      { x: 0, y: 0 },
      { x: 10, y: 0 },
      { x: 10, y: 3 },
      { x: 4, y: 3 },
    ],
    ...[
      { x: 4, y: 7 },
      { x: 10, y: 7 },
      { x: 10, y: 10 },
      { x: 0, y: 10 },
    ],
  ]

  it('takes what is inside, whatever its shape and direction', () => {
    const spots = [
      [2, 5],
      [7, 5],
      [7, 1],
      [7, 9],
      [-1, 5],
      [11, 1],
      [2, 11],
    ] as const
    const positions = Float32Array.from(spots.flat())
    expect(enclosed(positions, letter)).toEqual([0, 2, 3])
    expect(enclosed(positions, letter.toReversed())).toEqual([0, 2, 3])
    expect(enclosed(positions, letter.slice(0, 2))).toEqual([])
  })

  it('agrees with the corners of a rectangle', () => {
    fc.assert(
      fc.property(coordinate, coordinate, (x, y) => {
        const rectangle = [
          { x: -20, y: -10 },
          { x: 30, y: -10 },
          { x: 30, y: 15 },
          { x: -20, y: 15 },
        ]
        if ([-20, 30].includes(x) || [-10, 15].includes(y)) return
        expect(isInside(rectangle, { x, y })).toBe(x > -20 && x < 30 && y > -10 && y < 15)
      }),
    )
  })
})

describe('colours', () => {
  it('follow the logarithm, with a few values beyond both ends', () => {
    const values = Float32Array.from({ length: 101 }, (_, i) => 10 ** (-4 + i / 25))
    const { low, high } = logRange(values)
    expect(low).toBeCloseTo(values[2] ?? 0, 8)
    expect(high).toBeCloseTo(values[98] ?? 0, 5)
    const { colours, palette } = byLogarithm(values)
    expect([colours[0], colours[2], colours[98], colours[100]]).toEqual([0, 0, 31, 31])
    expect(Math.abs((colours[50] ?? 0) - 15.5)).toBeLessThan(1)
    expect(Array.from(colours)).toEqual(Array.from(colours).toSorted((a, b) => a - b))
    expect(palette).toHaveLength(32)
    expect(Array.from(byLogarithm(Float32Array.of(0, 0.5, 0.5)).colours)).toEqual([0, 0, 0])
    expect(Array.from(byLogarithm(new Float32Array(2)).colours)).toEqual([0, 0])
  })

  it('repeat after eight groups, and tell members from others', () => {
    const { colours, palette } = byGroup(Int32Array.of(0, 7, 8, 17))
    expect(Array.from(colours, (colour) => palette[colour]?.from)).toEqual(['--cat-1', '--cat-8', '--cat-1', '--cat-2'])
    const member = byMembership(Int32Array.of(3, 5, 9), new Set([5]), '--cat-4')
    expect(Array.from(member.colours, (colour) => member.palette[colour]?.from)).toEqual([
      ...['--ink-disabled', '--cat-4', '--ink-disabled'],
    ])
    expect(Array.from(markRows(4, [1, 3]) ?? [])).toEqual([0, 1, 0, 1])
    expect(markRows(4, [])).toBeNull()
  })

  it('are read from tokens of either length', () => {
    expect(rgbOf(' #0a6b61')).toEqual([10, 107, 97])
    expect(rgbOf('#fff')).toEqual([255, 255, 255])
    expect(rgbOf('red')).toEqual([0, 0, 0])
    expect(mixRgb([0, 0, 0], [100, 200, 50], 0.5)).toEqual([50, 100, 25])
  })
})

describe('dots', () => {
  const image = () => ({ width: 9, height: 7, pixels: new Uint32Array(63) })
  const at = ({ pixels, width }: ReturnType<typeof image>, x: number, y: number) => {
    const pixel = pixels[y * width + x] ?? 0
    return [pixel & 255, (pixel >>> 8) & 255, (pixel >>> 16) & 255, pixel >>> 24]
  }
  const dots = {
    positions: Float32Array.of(0, 0, 2, 1, 50, 50),
    colours: Uint8Array.of(0, 1, 1),
    palette: [
      [255, 0, 0],
      [0, 0, 255],
    ] as const,
    background: [255, 255, 255] as const,
    ...{ marked: null, radius: 0.5 },
  }
  const view = { x: 0, y: 0, scale: 1 }

  it('lie where the view puts them, in their colours on the ground', () => {
    const drawn = image()
    drawDots(drawn, view, dots)
    expect(at(drawn, 5, 4)).toEqual([255, 0, 0, 255])
    expect(at(drawn, 7, 3)).toEqual([0, 0, 255, 255])
    expect(at(drawn, 0, 0)).toEqual([255, 255, 255, 255])
    expect(new Set(drawn.pixels).size).toBe(3)
  })

  it('fade and lie below where others stand out', () => {
    const drawn = image()
    // Both at one place: the marked one is seen although it comes first.
    const together = { ...dots, positions: Float32Array.of(0, 0, 0, 0, 2, 1), marked: Uint8Array.of(1, 0, 0) }
    drawDots(drawn, view, together)
    expect(at(drawn, 5, 4)).toEqual([255, 0, 0, 255])
    expect(at(drawn, 7, 3)).toEqual([...mixRgb([255, 255, 255], [0, 0, 255], 0.22), 255])
  })

  it('are cut at the edges of the image and soft at their own', () => {
    const drawn = image()
    drawDots(drawn, { x: 5, y: 0, scale: 1 }, { ...dots, radius: 1.5 })
    // The middle of the first one is half a pixel left of the image.
    expect(at(drawn, 0, 4)).toEqual([255, 0, 0, 255])
    expect(at(drawn, 8, 6)).toEqual([255, 255, 255, 255])
  })
})
