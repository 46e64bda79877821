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

/** A cutting height as a sentence names it. */
export function heightWords(centimetres: number): string {
  return centimetres === 0 ? 'ground level' : `${centimetres} cm`;
}
