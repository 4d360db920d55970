/** Groups of features that write in similar directions: communities of the graph of nearest neighbours. */
import { UndirectedGraph } from 'graphology'
import louvain from 'graphology-communities-louvain'
import type { Random } from '../train/random'
import type { Nearest } from './nearest-rows'

/**
 * Communities by the method of Louvain (Blondel and others 2008) over edges weighted by cosine; pairs at a right angle or further
 * apart have no edge.
 * @returns [n] with any numbers
 */
export function findCommunities(
  { indexes, cosines }: Nearest,
  { count, resolution, random }: { count: number; resolution: number; random: Random },
): Int32Array<ArrayBuffer> {
  const n = indexes.length / count
  const graph = new UndirectedGraph<object, { weight: number }>()
  for (let i = 0; i < n; i++) graph.addNode(i)
  indexes.forEach((j, at) => {
    const [i, weight] = [Math.floor(at / count), cosines[at] ?? 0]
    if (weight > 0) graph.mergeEdge(i, j, { weight })
  })
  if (graph.size === 0) return Int32Array.from({ length: n }, (_, i) => i)
  const found = louvain(graph, { getEdgeWeight: 'weight', resolution, rng: () => random.uniform() })
  return Int32Array.from({ length: n }, (_, i) => found[i] ?? 0)
}

/** The same groups numbered from the largest down, the one that comes first among equals. */
export function numberBySize(groups: Int32Array): Int32Array<ArrayBuffer> {
  const sizes = new Map<number, number>()
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1)
  // A Map keeps the order in which the groups came, and sorting leaves equals in theirs.
  const order = [...sizes].toSorted(([, a], [, b]) => b - a)
  const numbers = new Map(order.map(([group], number) => [group, number]))
  return Int32Array.from(groups, (group) => numbers.get(group) ?? 0)
}
