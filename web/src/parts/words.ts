import type { GrazingDays } from '../../../src/farm/index.ts';
import { countOf } from '../../../src/ground/counts.ts';

const whole = new Intl.NumberFormat('en-AU', { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat('en-AU', { maximumFractionDigits: 1 });
const hundredths = new Intl.NumberFormat('en-AU', { maximumFractionDigits: 2 });

/** A number as people read it: 1,560. */
export const number = (value: number): string => whole.format(value);
export const decimal = (value: number): string => tenths.format(value);
/** How many of ten lie within intervals of a coverage: 9 of 0.9. */
export const timesInTen = (coverage: number): number => Math.round(10 * coverage);
/** What scales say, whose numbers may be sums: 3.3 g. */
export const grams = (value: number): string => `${hundredths.format(value)} g`;

/** Which way estimates are off on average, kg DM/ha: 164 too low. */
export const biasWords = (bias: number): string => {
  const off = number(Math.abs(bias));
  if (off === '0') return 'right';
  return `${off} too ${bias > 0 ? 'high' : 'low'}`;
};

/** kg of a paddock to three digits: more would say more than is known. */
export const rounded = (value: number): string => {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, Math.abs(value)))) - 2);
  return whole.format(Math.round(value / step) * step);
};

export const day = (moment: string): string =>
  new Date(moment).toLocaleDateString('en-AU', { day: 'numeric', month: 'short', year: 'numeric' });

/** As short as a row needs it: of this year without the year. */
const shortDay = (moment: string): string =>
  new Date(moment).getFullYear() === new Date().getFullYear()
    ? new Date(moment).toLocaleDateString('en-AU', { day: 'numeric', month: 'short' })
    : day(moment);

export const dayAndTime = (moment: string): string =>
  `${shortDay(moment)}, ${new Date(moment).toLocaleTimeString('en-AU', { hour: 'numeric', minute: '2-digit' })}`;

/** Photos of one walk are a few seconds apart. */
export const timeWithSeconds = (moment: string): string =>
  new Date(moment).toLocaleTimeString('en-AU', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** Of a file, or of all that a browser allows. */
export const megabytes = (bytes: number): string =>
  bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${decimal(bytes / 1e9)} GB`;

/** Beyond a year a day's numbers do not hold, so none is said. */
const DAYS_SAID = 365;

export function daysWords(given: GrazingDays): string {
  if (given.kind !== 'days') return 'no end in sight';
  const days = Math.floor(given.days);
  if (days > DAYS_SAID) return 'more than a year';
  return countOf(days, 'day');
}

/** How long ago or from now, as `3 h` or `2 days`. */
export function lasting(milliseconds: number): string {
  const hours = Math.max(0, milliseconds) / 3_600_000;
  if (hours < 1) return `${Math.round(60 * hours)} min`;
  return hours < 48 ? `${Math.round(hours)} h` : `${Math.round(hours / 24)} days`;
}
