import { type Cut, type CutState, cutHistory } from '../../../src/farm/index.ts';

/** What is written on a cut's bag, the same on all devices: cuts of a visit are told apart by nothing else in the oven. */
export const bagMark = ({ id }: Pick<Cut, 'id'>): string => id.slice(0, 4).toUpperCase();

/** When a cut's frame was placed, and what it weighed wet as far as that is known; null of one that was not begun. */
export function cutBegun(cut: Cut): { readonly at: string; readonly wetGrams: number | null } | null {
  const { frame, wet }: CutState = cutHistory(cut.events).state;
  if (!frame) return null;
  return { at: frame.at, wetGrams: wet && Number((wet.grossGrams - wet.bagGrams).toFixed(1)) };
}
