import { type Cut, type CutState, cutHistory } from '../../../src/farm/index.ts';

export { bagMark } from '../../../src/farm/index.ts';

/** When a cut's frame was placed, and what it weighed wet as far as that is known; null of one that was not begun. */
export function cutBegun(cut: Cut): { readonly at: string; readonly wetGrams: number | null } | null {
  const { frame, wet }: CutState = cutHistory(cut.events).state;
  if (!frame) return null;
  return { at: frame.at, wetGrams: wet && Number((wet.grossGrams - wet.bagGrams).toFixed(1)) };
}
