import { mean } from '../ground/statistics.ts';
import type { TrainingSet } from './estimator.ts';

/**
 * Weight of each photo in fitting, with mean 1: its own weight, times `size(session)^(−exponent)` so that large
 * sessions do not drown small ones. Exponent 0 weighs sessions by their photos, 1 weighs sessions alike. Photos
 * that count less than the others come from no sampled session; the mean over those that do is theirs.
 */
export function photoWeights(
  { groups, weights }: Pick<TrainingSet<unknown>, 'groups' | 'weights'>,
  exponent: number,
): number[] {
  const judges = new Set(judgingPhotos({ groups, ...(weights && { weights }) }));
  const sizes = new Map<string, number>();
  for (const photo of judges) {
    const group = groups[photo] as string;
    sizes.set(group, (sizes.get(group) ?? 0) + 1);
  }
  const share = (photo: number): number => (sizes.get(groups[photo] as string) ?? 1) ** -exponent;
  const usual = mean([...judges].map(share));
  const raw = groups.map((_, photo) => (weights?.[photo] ?? 1) * (judges.has(photo) ? share(photo) : usual));
  const scale = mean(raw);
  return raw.map((weight) => weight / scale);
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
