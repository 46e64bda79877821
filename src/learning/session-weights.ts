import { mean } from '../ground/statistics.ts';
import type { TrainingRows } from '../samples/samples.ts';

/**
 * Weight of each sample in fitting, with mean 1: its own weight, times `size(group)^(−exponent)` so that large
 * sessions do not drown small ones. Exponent 0 weighs sessions by their photos, 1 weighs sessions alike. Samples
 * that were not measured come from no sampled session; the mean over those that were is theirs.
 */
export function photoWeights(
  { groups, weights, measured }: Pick<TrainingRows, 'groups' | 'weights' | 'measured'>,
  exponent: number,
): number[] {
  const sizes = new Map<string, number>();
  const known = measuredItems(measured);
  for (const item of known) {
    const group = groups[item] as string;
    sizes.set(group, (sizes.get(group) ?? 0) + 1);
  }
  const share = (item: number): number => (sizes.get(groups[item] as string) ?? 1) ** -exponent;
  const usual = mean(known.map(share));
  const raw = weights.map((weight, item) => weight * (measured[item] ? share(item) : usual));
  const scale = mean(raw);
  return raw.map((weight) => weight / scale);
}

/** The places of samples whose masses were measured: settings are chosen by these alone. */
export function measuredItems(measured: readonly boolean[]): number[] {
  return measured.flatMap((is, item) => (is ? [item] : []));
}
