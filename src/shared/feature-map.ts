/** The map of features: a place in the plane for every feature that fires, near those that write in a similar direction. */
import { z } from 'zod'
import { Float32 } from './features'
import { Id } from './training'

/** int32 values travel as typed arrays on every wire. */
export const Int32 = z.instanceof(Int32Array)

/** What a map was made with; the same parameters on the same weights give the same bytes. */
export const MapParameters = z.object({
  /** Of UMAP. Neighbours of each feature on the graph, itself among them. */
  neighbours: z.int(),
  minDist: z.number(),
  spread: z.number(),
  epochs: z.int(),
  /** Of the communities. */
  resolution: z.number(),
  seed: z.int(),
  /** Features that the layout was fitted on, and those that were placed among them afterwards. */
  fitted: z.int(),
  placed: z.int(),
})
export type MapParameters = z.infer<typeof MapParameters>

/** N features of one autoencoder. */
export const FeatureMap = z.object({
  saeId: Id,
  parameters: MapParameters,
  createdAt: z.string(),
  /** [N], ascending. */
  features: Int32,
  /** [N, 2] x and y of each; only who is near whom has a meaning. */
  positions: Float32,
  /** [N] community of each, numbered from the largest down. */
  clusters: Int32,
  /** [N] share of tokens on which each is above zero, 0 to 1, of the autoencoder's atlas. */
  densities: Float32,
})
export type FeatureMap = z.infer<typeof FeatureMap>

/** Features of each cluster, the largest first. */
export function clusterSizes(clusters: Int32Array): number[] {
  const sizes: number[] = []
  for (const cluster of clusters) sizes[cluster] = (sizes[cluster] ?? 0) + 1
  return Array.from(sizes, (size) => size)
}
