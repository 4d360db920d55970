/** The active features of some tokens: first token by token, then, one window at a time, feature by feature. */

/** Active features of tokens [rows]: those of row r are entries [starts[r], starts[r + 1]), by feature index. */
export type RowCodes = { starts: Uint32Array; features: Uint32Array; values: Float32Array }

/** What is above zero in `acts` [rows, dSae]; a row that is marked in `dropped` has nothing. */
export function rowCodes(acts: Float32Array, dSae: number, dropped: Uint8Array): RowCodes {
  const rows = dropped.length
  const starts = new Uint32Array(rows + 1)
  let features = new Uint32Array(Math.max(1024, rows * 64))
  let values = new Float32Array(features.length)
  let count = 0
  for (let row = 0; row < rows; row++) {
    if (count + dSae > features.length) {
      const length = Math.max(2 * features.length, count + dSae)
      const [oldFeatures, oldValues] = [features, values]
      features = new Uint32Array(length)
      values = new Float32Array(length)
      features.set(oldFeatures)
      values.set(oldValues)
    }
    const at = row * dSae
    for (let feature = 0; dropped[row] === 0 && feature < dSae; feature++) {
      const value = acts[at + feature] ?? 0
      if (!(value > 0)) continue
      features[count] = feature
      values[count++] = value
    }
    starts[row + 1] = count
  }
  return { starts, features, values }
}

/**
 * The codes of one window by feature. The entries of `touched[i]` are [begins[i], begins[i + 1]) of `rows` and `values`, in the
 * order of the tokens; `rows` count from the window's first token.
 */
export class WindowCodes {
  touched = new Uint32Array(1024)
  begins = new Uint32Array(1025)
  rows = new Uint32Array(1024)
  values = new Float32Array(1024)
  /** Features in `touched`. */
  count = 0
  private readonly counts: Uint32Array
  private readonly places: Uint32Array

  constructor(dSae: number) {
    this.counts = new Uint32Array(dSae)
    this.places = new Uint32Array(dSae)
  }

  /** Takes rows [firstRow, endRow) of `codes`. */
  load({ starts, features, values }: RowCodes, firstRow: number, endRow: number): void {
    const [first, end] = [starts[firstRow] ?? 0, starts[endRow] ?? 0]
    this.reserve(end - first)
    const { counts, places, touched, begins } = this
    this.count = 0
    for (let at = first; at < end; at++) {
      const feature = features[at] ?? 0
      const before = counts[feature] ?? 0
      if (before === 0) touched[this.count++] = feature
      counts[feature] = before + 1
    }
    begins[0] = 0
    for (let i = 0; i < this.count; i++) {
      const feature = touched[i] ?? 0
      places[feature] = begins[i] ?? 0
      begins[i + 1] = (begins[i] ?? 0) + (counts[feature] ?? 0)
      counts[feature] = 0
    }
    for (let row = firstRow; row < endRow; row++) {
      const rowEnd = starts[row + 1] ?? 0
      for (let at = starts[row] ?? 0; at < rowEnd; at++) {
        const feature = features[at] ?? 0
        const place = places[feature] ?? 0
        places[feature] = place + 1
        this.rows[place] = row - firstRow
        this.values[place] = values[at] ?? 0
      }
    }
  }

  private reserve(entries: number): void {
    if (entries <= this.rows.length) return
    const length = Math.max(2 * this.rows.length, entries)
    this.touched = new Uint32Array(length)
    this.begins = new Uint32Array(length + 1)
    this.rows = new Uint32Array(length)
    this.values = new Float32Array(length)
  }
}
