import type { HeightMethod } from '../../../src/pasture/covariates.ts';

export const METHOD_WORDS = {
  'falling-plate': 'Falling plate',
  'rising-plate': 'Rising plate',
  ruler: 'Ruler',
} as const;

/**
 * What a height is good for, in words.
 *
 * @param reads how the heights were measured that this device's run reads, null where it reads none; undefined: it is
 * not known yet
 * @param method how this one is measured, where that is known
 * @param isStarter whether it is the run whose figures are known beforehand
 */
export function heightWords(
  reads: HeightMethod | null | undefined,
  method: HeightMethod | undefined,
  isStarter = false,
): string {
  if (reads === undefined) return 'It is kept with the photo for runs that read one.';
  if (reads === null) return 'This run reads none; it is kept with the photo for runs that do.';
  const read = METHOD_WORDS[reads].toLowerCase();
  if (method === undefined || method === reads) {
    const worth = isStarter ? ': R² 0.69 without, 0.80 with' : '';
    return `Worth it, measured with a ${read}, which this run reads${worth}.`;
  }
  return `This run reads heights measured with a ${read} alone; this one is kept with the photo for runs that read it.`;
}
