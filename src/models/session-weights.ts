import type { TrainingSet } from './estimator.ts';

/**
 * Weight of each photo in fitting, with mean 1: its own weight, times `size(session)^(−exponent)` so that large
 * sessions do not drown small ones. Exponent 0 weighs sessions by their photos, 1 weighs sessions alike.
 */
export function photoWeights(
  { groups, weights }: Pick<TrainingSet<unknown>, 'groups' | 'weights'>,
  exponent: number,
): number[] {
  const sizes = new Map<string, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const raw = groups.map((group, photo) => (weights?.[photo] ?? 1) * (sizes.get(group) ?? 1) ** -exponent);
  const mean = raw.reduce((sum, weight) => sum + weight, 0) / raw.length;
  return raw.map((weight) => weight / mean);
}

/**
 * The photos that settings are chosen by: those of full weight. Photos that count less (pseudo-labels) are learnt
 * from but judge nothing, for their masses were not measured.
 */
export function judgingPhotos({
  groups,
  weights,
}: Pick<TrainingSet<unknown>, 'groups' | 'weights'>): number[] {
  const photos = groups.map((_, photo) => photo);
  if (!weights) return photos;
  const full = Math.max(...weights);
  return photos.filter((photo) => weights[photo] === full);
}
