/** Which features fire in which texts, and the features that fire in the texts of one kind and in hardly any other. */

/** For each feature, in how many texts of each group it fires; `texts` of each group in all. */
export type Activity = { fired: Map<string, Uint32Array>; texts: Map<string, number>; dSae: number }

export const newActivity = (dSae: number): Activity => ({ fired: new Map(), texts: new Map(), dSae })

/** Takes in one text. @param features that are above zero on any of its tokens, each once */
export function addText({ fired, texts, dSae }: Activity, group: string, features: Iterable<number>): void {
  const counts = fired.get(group) ?? new Uint32Array(dSae)
  fired.set(group, counts)
  texts.set(group, (texts.get(group) ?? 0) + 1)
  for (const feature of features) counts[feature] = (counts[feature] ?? 0) + 1
}

/** Share of the texts of some groups in which a feature fires, every group counted alike; `most` is the largest of them. */
export function shareOf({ fired, texts }: Activity, feature: number, groups: readonly string[]) {
  const shares = groups.map((group) => (fired.get(group)?.[feature] ?? 0) / Math.max(1, texts.get(group) ?? 0))
  const mean = shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length)
  return { mean, most: Math.max(0, ...shares), least: Math.min(1, ...shares) }
}

/** A feature that tells groups apart: the mean share inside, and the largest share in any group outside. */
export type Candidate = { feature: number; inside: number; outside: number }

/**
 * The features that tell `inside` from `outside` best, by the share inside less the largest share outside.
 * @returns the best first
 */
export function bestOf(
  activity: Activity,
  { inside, outside }: { inside: readonly string[]; outside: readonly string[] },
  count: number,
): Candidate[] {
  return Array.from({ length: activity.dSae }, (_, feature) => ({
    feature,
    inside: shareOf(activity, feature, inside).mean,
    outside: shareOf(activity, feature, outside).most,
  }))
    .sort((a, b) => b.inside - b.outside - (a.inside - a.outside) || a.feature - b.feature)
    .slice(0, count)
}

/** The same two shares of one feature elsewhere. */
export function candidateIn(
  activity: Activity,
  feature: number,
  { inside, outside }: { inside: readonly string[]; outside: readonly string[] },
): Candidate {
  return {
    feature,
    inside: shareOf(activity, feature, inside).mean,
    outside: shareOf(activity, feature, outside).most,
  }
}
