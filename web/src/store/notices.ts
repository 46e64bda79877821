import type { Contested } from '../../../src/farm/index.ts';
import { countOf, forCount } from '../../../src/ground/counts.ts';
import { dayAndTime } from '../parts/words.ts';
import { skewWords } from '../sync/server-clock.ts';
import type { ItemKind } from './records.ts';

/** Something to be said once, until it is understood. */
export interface Notice {
  readonly id: string;
  readonly words: string;
}

/** How things are called in a notice. */
export interface Called {
  readonly kind: ItemKind;
  /** Of a paddock. */
  readonly name?: string;
  /** When it was taken or begun. */
  readonly at?: string;
}

const KIND_WORDS = { paddock: 'paddock', visit: 'visit', photo: 'photo', cut: 'cut' } as const;

const FIELD_WORDS: Readonly<Record<string, string>> = {
  name: 'name',
  hectares: 'size',
  boundary: 'boundary',
  head: 'number of animals',
  animal: 'kind of animal',
  leave: 'way of saying what is left',
  residual: 'standing feed that is left',
  utilisation: 'share that is eaten',
  growth: 'growth',
  supplement: 'feed besides',
  visitId: 'paddock',
  height: 'height',
  frameAreaSquareMetres: 'frame',
  position: 'position',
};

const capital = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}`;

const called = ({ kind, name, at }: Called): string =>
  name ?? [`the ${KIND_WORDS[kind]}`, ...(at === undefined ? [] : [`of ${dayAndTime(at)}`])].join(' ');

const noticed = (words: string): Notice => ({ id: crypto.randomUUID(), words });

/** That another device has changed the same field too. */
export function contestedNotice(thing: Called, { field, lost }: Contested): Notice {
  const what = FIELD_WORDS[field] ?? field;
  const value = typeof lost === 'string' || typeof lost === 'number' ? ` (${lost})` : '';
  const shown = field === 'visitId' ? '' : value;
  return noticed(
    `${capital(called(thing))}: two devices changed its ${what}. The later change stays, the earlier${shown} is gone.`,
  );
}

/** That something was removed which had changes here that were not sent. */
export const removedNotice = (thing: Called): Notice =>
  noticed(
    `${capital(called(thing))} was removed on another device. What was changed of it here is gone too.`,
  );

/** That photos have lost the paddock that they were of. */
export const unplacedNotice = (count: number): Notice =>
  noticed(
    `${countOf(count, 'photo')} not sent yet lost ${forCount(count, 'its', 'their')} visit, which was removed on another device. ` +
      `${forCount(count, 'It is kept; say again which paddock it shows', 'They are kept; say again which paddock they show')}.`,
  );

/** That this device's clock is not the server's. @param skew by how much the server's is ahead, milliseconds */
export const clockNotice = (skew: number): Notice =>
  noticed(
    `This device's clock is ${skewWords(skew)} ${skew < 0 ? 'ahead of' : 'behind'} the farm's server. Set it right. Photos ` +
      "of the app's camera that were not sent yet are dated by the server's clock; times of cuts are as they were given.",
  );
