import type { SwardHeight } from '../../../src/farm/index.ts';
import { HEIGHT_LIMITS, type HeightMethod } from '../../../src/pasture/covariates.ts';
import { typed } from './typed.ts';
import { number } from './words.ts';

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
 * @param offBy what the run is usually off by on such a photo, kg DM/ha, without a height and with one
 */
export function heightWords(
  reads: HeightMethod | null | undefined,
  method: HeightMethod | undefined,
  offBy: { readonly without: number; readonly with: number } | null = null,
): string {
  if (reads === undefined)
    return 'It is kept with the photo. Whether the run reads one is not known here before its model is open.';
  if (reads === null) return 'This run reads none; it is kept with the photo for runs that do.';
  const read = METHOD_WORDS[reads].toLowerCase();
  if (method === undefined || method === reads) {
    const worth = offBy
      ? `: off by about ${tens(offBy.with)} kg/ha with it and ${tens(offBy.without)} without, on visits the run had not seen`
      : '';
    return `Worth it, measured with a ${read}, which this run reads${worth}.`;
  }
  return `This run reads heights measured with a ${read} alone; this one is kept with the photo for runs that read it.`;
}

/** A height as it was typed; null where none was. @throws Error that says what is wrong with it */
export function typedHeight(text: string, method: HeightMethod | null): SwardHeight | null {
  if (text.trim() === '') return null;
  if (method === null) throw new Error('Say what it was measured with.');
  const centimetres = typed(text);
  const [least, most] = HEIGHT_LIMITS[method];
  if (centimetres === null || centimetres < least || centimetres > most) {
    const what = METHOD_WORDS[method].toLowerCase();
    throw new Error(`Give a height from ${least} to ${most} cm for a ${what}, or leave it empty.`);
  }
  return { centimetres, method };
}

const tens = (value: number): string => number(10 * Math.round(value / 10));
