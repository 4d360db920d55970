/** One uPlot chart as the design draws it: colours from the stylesheet at every draw, linked cursor, room for the time to come. */
import uPlot from 'uplot'
import { axisTokens, linearTicks, logTicks, yRange, type Line } from './line-scales'

export type LinePlotOptions = {
  isLog: boolean
  /** Range of y that is always shown, in data units. */
  fixed: readonly [number, number] | undefined
  /** End of the x axis. */
  xMax(): number
  formatY(value: number): string
  /** Charts with one key share their cursor. */
  syncKey: string
  /** The x under the cursor, null when it left. */
  onCursor(x: number | null): void
}

/** Curves of at most this many points mark each of them; explained variance has 51. */
const MARKED_POINTS = 60
const SIZE = { left: 46, bottom: 22, tick: 10.5 }

const styleOf = (element: Element, name: string) => getComputedStyle(element).getPropertyValue(name).trim()

/** x, and y with holes where a log axis cannot show a value. */
export function alignedData(line: Line, isLog: boolean): uPlot.AlignedData {
  return [line.x, isLog ? Array.from(line.y, (value) => (value > 0 ? value : null)) : line.y]
}

function axes(host: HTMLElement, options: LinePlotOptions): uPlot.Axis[] {
  const colour = (name: string) => () => styleOf(host, name)
  const shared = {
    stroke: colour('--text-3'),
    font: `${SIZE.tick}px ${styleOf(host, '--font-ui')}`,
    ticks: { show: false },
    border: { show: true, width: 1, stroke: colour('--line-strong') },
  }
  return [
    {
      ...shared,
      size: SIZE.bottom,
      gap: 4,
      grid: { show: false },
      splits: (_, __, low, high) => linearTicks(low, high),
      values: (_, splits) => splits.map(axisTokens),
    },
    {
      ...shared,
      size: SIZE.left,
      gap: 6,
      border: { show: false },
      grid: { show: true, width: 1, stroke: colour('--line') },
      // Without a point the range means nothing, so it gets no ticks.
      splits: (self, _, low, high) =>
        self.data[0].length === 0 && !options.fixed ? [] : options.isLog ? logTicks(low, high) : linearTicks(low, high),
      // uPlot thins the labels of log axes by its own rule unless told to keep them.
      filter: (_, splits) => splits,
      values: (_, splits) => splits.map(options.formatY),
    },
  ]
}

/** Draws `line` into `host` at its size. */
export function makeLinePlot(host: HTMLElement, line: Line, options: LinePlotOptions): uPlot {
  const colour = () => styleOf(host, '--cat-1')
  const plot: uPlot = new uPlot(
    {
      width: Math.max(80, host.clientWidth),
      height: Math.max(60, host.clientHeight),
      legend: { show: false },
      // The last tick stands centred on the right end, so half of it needs room.
      padding: [8, 16, 0, 0],
      scales: {
        x: { time: false, range: () => [0, options.xMax()] },
        y: {
          // 3 is logarithmic, 1 linear; the enum of the declarations has no values at run time.
          // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
          distr: options.isLog ? 3 : 1,
          range: (self) => yRange(self.data[1]?.map((value) => value ?? NaN) ?? [], options.isLog, options.fixed),
        },
      },
      axes: axes(host, options),
      series: [
        {},
        {
          stroke: colour,
          width: 1.75,
          // A single point makes no line; points that are few show where was measured and where the line only joins them.
          points: { show: (self) => self.data[0].length <= MARKED_POINTS, size: 5, stroke: colour, fill: colour },
        },
      ],
      cursor: {
        y: false,
        drag: { x: false, y: false },
        points: { size: 8, width: 2, stroke: colour, fill: () => styleOf(host, '--surface') },
        sync: { key: options.syncKey, scales: ['x', null] },
      },
      hooks: {
        setCursor: [
          (self) => {
            const left = self.cursor.left ?? -1
            options.onCursor(left < 0 ? null : self.posToVal(left, 'x'))
          },
        ],
      },
    },
    alignedData(line, options.isLog),
    host,
  )
  return plot
}
