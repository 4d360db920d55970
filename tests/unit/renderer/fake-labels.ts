/** What the fake program keeps of labels. */
import type { Label } from '../../../src/shared/domain'

/** Judges one label of a feature. @returns the labels of the feature */
export function judged(
  labels: Map<number, Label[]>,
  { featureIndex, labelId, score }: { featureIndex: number; labelId: number; score: number | null },
): Promise<Label[]> {
  const after = (labels.get(featureIndex) ?? []).map((label) => (label.id === labelId ? { ...label, score } : label))
  labels.set(featureIndex, after)
  return Promise.resolve(after)
}
