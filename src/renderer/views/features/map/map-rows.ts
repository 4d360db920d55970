/** Where a feature is on a map: its row among the points, which are sorted by number. */

/** Row of a number in an ascending list, or null. */
export function rowOf(features: Int32Array, featureIndex: number): number | null {
  let [from, to] = [0, features.length - 1]
  while (from <= to) {
    const middle = (from + to) >> 1
    const found = features[middle] ?? 0
    if (found === featureIndex) return middle
    if (found < featureIndex) from = middle + 1
    else to = middle - 1
  }
  return null
}

/** Rows of some features, in their order; those that are not on the map are left out. */
export const rowsOf = (features: Int32Array, featureIndexes: readonly number[]): number[] =>
  featureIndexes.map((index) => rowOf(features, index)).filter((row) => row !== null)

/** Rows of one cluster, ascending. */
export function clusterRows(clusters: Int32Array, cluster: number): number[] {
  const rows: number[] = []
  clusters.forEach((own, row) => {
    if (own === cluster) rows.push(row)
  })
  return rows
}
