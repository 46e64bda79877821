import { IDENTITY_TOLERANCE_GRAMS, identityErrors } from './physics.ts';
import {
  type ByMass,
  byMass,
  MASS_NAMES,
  type MassName,
  type Targets,
  targetsFromArray,
  targetsToArray,
} from './targets.ts';

/** Of two tables of the same cuts: one may be rounded, or have a sum where the other has its parts. */
const [SAME_SHARE, SAME_GRAMS] = [1e-3, 5e-3] as const;

/**
 * Whether two masses are the same measurement: within a thousandth, or half of 0.01 g, which tables are rounded to; two
 * that were not measured are.
 */
export function isSameMass(one = Number.NaN, other = Number.NaN): boolean {
  if (Number.isNaN(one) || Number.isNaN(other)) return Number.isNaN(one) && Number.isNaN(other);
  return Math.abs(one - other) <= Math.max(SAME_GRAMS, SAME_SHARE * Math.max(Math.abs(one), Math.abs(other)));
}

/** The masses of a quadrat that were measured, grams; one that is absent or not finite was not. */
export type PartialTargets = Readonly<Partial<Record<MassName, number | undefined>>>;

/** How each mass follows from two others: added, or the second taken from the first. */
const DERIVATIONS: readonly {
  readonly mass: MassName;
  readonly from: readonly [MassName, MassName];
  readonly sign: 1 | -1;
}[] = [
  { mass: 'gdm', from: ['green', 'clover'], sign: 1 },
  { mass: 'gdm', from: ['total', 'dead'], sign: -1 },
  { mass: 'total', from: ['gdm', 'dead'], sign: 1 },
  { mass: 'green', from: ['gdm', 'clover'], sign: -1 },
  { mass: 'clover', from: ['gdm', 'green'], sign: -1 },
  { mass: 'dead', from: ['total', 'gdm'], sign: -1 },
];

/**
 * A difference below this share of the largest mass of the photo is rounding of doubles (2.2e-16 of it at each step), and
 * means nothing is left. It stays far below what sums are held to, 1e-9 g.
 */
const ROUNDING = 1e-12;

/**
 * The masses that were measured with those that follow from them by GDM = green + clover and total = GDM + dead; NaN
 * where a mass neither was measured nor follows. What was measured is never changed. A difference that is negative by
 * no more than sums may stray is 0; where it is more, it stays negative, and {@link contradictionIn} tells of it.
 */
export function completedTargets(measured: PartialTargets): Targets {
  const masses: Record<MassName, number> = { ...byMass((mass) => measured[mass] ?? Number.NaN) };
  for (const mass of MASS_NAMES) if (!Number.isFinite(masses[mass])) masses[mass] = Number.NaN;
  const rounding = ROUNDING * Math.max(0, ...targetsToArray(masses).filter(Number.isFinite).map(Math.abs));
  // The two sums share no mass but GDM, so that one mass at a time reaches all that follows.
  for (let next = derivable(masses); next; next = derivable(masses)) {
    const [first, second] = next.from.map((mass) => masses[mass]) as [number, number];
    masses[next.mass] = next.sign > 0 ? first + second : difference(first, second, rounding);
  }
  return masses;
}

function derivable(masses: Targets): (typeof DERIVATIONS)[number] | undefined {
  return DERIVATIONS.find(
    ({ mass, from }) => Number.isNaN(masses[mass]) && from.every((other) => !Number.isNaN(masses[other])),
  );
}

function difference(whole: number, part: number, rounding: number): number {
  const rest = whole - part;
  if (Math.abs(rest) <= rounding) return 0;
  return allowingStray(rest);
}

/**
 * What known masses contradict by more than sums may stray, as a sentence under the names of the competition; null
 * where they agree. Masses that are not known (NaN) contradict nothing.
 *
 * @param masses from {@link completedTargets}
 */
export function contradictionIn(masses: Targets): string | null {
  const errors = identityErrors(masses);
  const sums = [
    ['GDM_g', 'Dry_Green_g + Dry_Clover_g', errors.gdm],
    ['Dry_Total_g', 'GDM_g + Dry_Dead_g', errors.total],
  ] as const;
  const broken = sums.find(([, , error]) => Math.abs(error) > IDENTITY_TOLERANCE_GRAMS);
  if (broken) return `${broken[0]} is ${broken[2].toFixed(2)} g away from ${broken[1]}`;
  const parts = [
    ['GDM_g', 'Dry_Green_g', masses.clover],
    ['GDM_g', 'Dry_Clover_g', masses.green],
    ['Dry_Total_g', 'GDM_g', masses.dead],
    ['Dry_Total_g', 'Dry_Dead_g', masses.gdm],
    // Where GDM is known these follow from what was looked at.
    ['Dry_Total_g', 'Dry_Green_g', isKnown(masses, 'gdm') ? 0 : allowingStray(masses.total - masses.green)],
    ['Dry_Total_g', 'Dry_Clover_g', isKnown(masses, 'gdm') ? 0 : allowingStray(masses.total - masses.clover)],
  ] as const;
  const negative = parts.find(([, , rest]) => rest < 0);
  return negative ? `${negative[0]} is ${(-negative[2]).toFixed(2)} g less than ${negative[1]}` : null;
}

/** What is left, where it may stray: 0 up to as far below 0 as sums may stray. */
function allowingStray(rest: number): number {
  return rest < 0 && rest >= -IDENTITY_TOLERANCE_GRAMS ? 0 : rest;
}

/** Whether a mass of a photo is known: measured, or derived from what was. */
export function isKnown(masses: Targets, mass: MassName): boolean {
  return !Number.isNaN(masses[mass]);
}

/** Whether all five masses are known. */
export function isComplete(masses: Targets): boolean {
  return MASS_NAMES.every((mass) => isKnown(masses, mass));
}

/** Of how many photos each mass is known. */
export function knownCounts(photos: readonly Targets[]): ByMass<number> {
  return byMass((mass) => photos.reduce((count, masses) => count + (isKnown(masses, mass) ? 1 : 0), 0));
}

/** The masses that are known of any photo, with those that follow from them. */
export function massesKnownOf(photos: readonly Targets[]): ByMass<boolean> {
  const counts = knownCounts(photos);
  const completed = completedTargets(byMass((mass) => (counts[mass] > 0 ? 0 : Number.NaN)));
  return byMass((mass) => isKnown(completed, mass));
}

/** The names of the masses that a table of yes and no has, in the order of `MASS_NAMES`. */
export const massesIn = (which: ByMass<boolean>): MassName[] => MASS_NAMES.filter((mass) => which[mass]);

/** Masses without those that another record of the same photo does not know. */
export function knownWhere(masses: Targets, other: Targets): Targets {
  return byMass((mass) => (isKnown(other, mass) ? masses[mass] : Number.NaN));
}

/** The mean of each mass over the photos of which it is known, grams; NaN where it is known of none. */
export function meanOfKnown(photos: readonly Targets[]): Targets {
  const counts = targetsToArray(knownCounts(photos));
  const sums = counts.map((count) => (count > 0 ? 0 : Number.NaN));
  for (const photo of photos) {
    for (const [mass, grams] of targetsToArray(photo).entries()) {
      if (!Number.isNaN(grams)) sums[mass] = (sums[mass] as number) + grams / (counts[mass] as number);
    }
  }
  return targetsFromArray(sums);
}

const WORDS: ByMass<string> = { green: 'green', dead: 'dead', clover: 'clover', gdm: 'GDM', total: 'total' };

/** Masses as a sentence names them: `green, GDM and total`. */
export function massWords(masses: readonly MassName[]): string {
  const words = masses.map((mass) => WORDS[mass]);
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} and ${words.at(-1)}` : words.join('');
}

/** Of how many photos each mass is known, as `total of 86 photos, green of 40`; null where all are known of all. */
export function knownSentence(photos: readonly Targets[]): string | null {
  if (photos.every(isComplete)) return null;
  const counts = knownCounts(photos);
  const known = MASS_NAMES.filter((mass) => counts[mass] > 0).sort((a, b) => counts[b] - counts[a]);
  const [first = 0] = known.map((mass) => counts[mass]);
  return known
    .map(
      (mass, at) =>
        `${WORDS[mass]} of ${counts[mass]}${at === 0 ? (first === 1 ? ' photo' : ' photos') : ''}`,
    )
    .join(', ');
}
