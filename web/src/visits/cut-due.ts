import { FEWEST_OVEN_HOURS, HOUR_MILLISECONDS } from '../../../src/farm/dry-matter.ts';
import type { CutState } from '../../../src/farm/index.ts';
import { lasting } from '../parts/words.ts';

/** What a cut waits for. */
export interface CutDue {
  readonly kind: 'work' | 'oven' | 'done';
  /** When it is to be done, milliseconds since 1970; 0: now. */
  readonly at: number;
  readonly words: string;
  /** Whether it has waited so long that it is likely forgotten. */
  readonly isLate: boolean;
}

/** Between two dry weights, before constant weight can be told (MLA). */
const HOURS_BETWEEN = 2;
const FORGOTTEN_HOURS = 36;

/** What is to be done next with a cut, and when. */
export function dueOf(state: CutState, now: number): CutDue {
  const { stage, drying, dryWeighings } = state;
  const work = (words: string): CutDue => ({ kind: 'work', at: 0, words, isLate: false });
  switch (stage) {
    case 'begun':
      return work('Place the frame');
    case 'frame-placed':
      return work('Cut it and weigh it wet');
    case 'wet-weighed':
      return work('Weigh what is to be dried');
    case 'subsampled':
      return work('Put it into the oven, or the microwave');
    case 'bare':
      return { kind: 'done', at: 0, words: 'Nothing grew here', isLate: false };
    case 'dry':
      return { kind: 'done', at: 0, words: 'Dry; sort it, or leave it at that', isLate: false };
    case 'sorted':
      return { kind: 'done', at: 0, words: 'Dry and sorted', isLate: false };
    case 'drying':
    case 'dry-weighed': {
      const last = dryWeighings.at(-1);
      const from = Date.parse(last?.at ?? drying?.at ?? '');
      const hours = drying?.method === 'microwave' ? 0 : last ? HOURS_BETWEEN : FEWEST_OVEN_HOURS;
      const at = from + hours * HOUR_MILLISECONDS;
      const what = last ? 'Weigh it again' : 'Weigh it dry';
      const isLate = now - at > FORGOTTEN_HOURS * HOUR_MILLISECONDS;
      if (at <= now)
        return {
          kind: 'oven',
          at,
          words: `${what} now${isLate ? `: it has waited for ${lasting(now - at)}` : ''}`,
          isLate,
        };
      return {
        kind: 'oven',
        at,
        words: `In the oven: ${what.toLowerCase()} in ${lasting(at - now)}`,
        isLate: false,
      };
    }
  }
}
