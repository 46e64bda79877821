import { countOf } from '../ground/counts.ts';

/** Cuts that may be put together, and what is to be said of the others. */
export interface CutsAtHeight<Item> {
  readonly used: readonly Item[];
  /** Cut at another height: never converted, since nobody knows what stood below. */
  readonly apart: readonly Item[];
  readonly warning: string | null;
}

/** The cuts of one cutting height, cm, apart from those of others: ground, 2 cm (Queensland) and 4 cm (Ireland) are usual. */
export function cutsAtHeight<Item extends { readonly cuttingHeightCentimetres: number }>(
  cuts: readonly Item[],
  centimetres: number,
): CutsAtHeight<Item> {
  const used = cuts.filter(({ cuttingHeightCentimetres }) => cuttingHeightCentimetres === centimetres);
  const apart = cuts.filter((cut) => !used.includes(cut));
  const heights = [...new Set(apart.map(({ cuttingHeightCentimetres }) => cuttingHeightCentimetres))].sort(
    (a, b) => a - b,
  );
  const warning =
    apart.length > 0
      ? `${countOf(apart.length, 'cut')} at ${heights.map(heightWords).join(' and ')} left out: the others are at ` +
        `${heightWords(centimetres)}, and what stands below a cut is not known.`
      : null;
  return { used, apart, warning };
}

/** The cutting heights of cuts, cm, lowest first, with how many were cut at each. */
export function heightsOf(
  cuts: readonly { readonly cuttingHeightCentimetres: number }[],
): readonly { readonly centimetres: number; readonly cuts: number }[] {
  const counts = new Map<number, number>();
  for (const { cuttingHeightCentimetres: height } of cuts) counts.set(height, (counts.get(height) ?? 0) + 1);
  return [...counts]
    .map(([centimetres, count]) => ({ centimetres, cuts: count }))
    .sort((a, b) => a.centimetres - b.centimetres);
}

/**
 * The height that a farm's calibration stands on, cm: that of its cuts where they agree; else the one it was last made
 * for, where there are cuts at it; else that of most cuts, the lowest of several.
 *
 * @param last of the calibration before; null without one
 * @returns null without a cut
 */
export function farmCuttingHeight(
  cuts: readonly { readonly cuttingHeightCentimetres: number }[],
  last: number | null,
): number | null {
  const heights = heightsOf(cuts);
  if (heights.some(({ centimetres }) => centimetres === last)) return last;
  const most = Math.max(...heights.map((height) => height.cuts));
  return heights.find((height) => height.cuts === most)?.centimetres ?? null;
}

/** A cutting height as a sentence names it. */
export function heightWords(centimetres: number): string {
  return centimetres === 0 ? 'ground level' : `${centimetres} cm`;
}
