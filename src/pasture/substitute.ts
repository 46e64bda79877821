import { completedTargets, isKnown } from './partial.ts';
import { type ByMass, byMass, type Targets } from './targets.ts';

/** A sorted fraction. */
export type ComponentName = 'green' | 'dead' | 'clover';

/** The order in which fractions are done without. */
const DISPENSABLE: readonly ComponentName[] = ['clover', 'green', 'dead'];

/**
 * The fractions that are set to nothing where not all masses are known of any photo, so that those that are known
 * become green, dead and clover of a plainer sward: a total alone is all dead, GDM alone all green, of green and total
 * what is not green is dead. Every known mass, and every sum of known masses, is the same in it, so that whatever
 * learns three fractions and their sums learns these. None where all masses are known.
 *
 * @param known masses that are known of any photo, with those that follow
 */
export function absentFractions(known: ByMass<boolean>): ComponentName[] {
  const absent: ComponentName[] = [];
  let reached = known;
  for (const fraction of DISPENSABLE) {
    if (reached[fraction]) continue;
    absent.push(fraction);
    reached = closureOf(byMass((mass) => reached[mass] || mass === fraction));
  }
  return absent;
}

/** What follows from some masses, whatever they are. */
function closureOf(known: ByMass<boolean>): ByMass<boolean> {
  const completed = completedTargets(byMass((mass) => (known[mass] ? 0 : Number.NaN)));
  return byMass((mass) => isKnown(completed, mass));
}

/** Masses of a photo in the sward without some fractions (see {@link absentFractions}). */
export function substituted(masses: Targets, absent: readonly ComponentName[]): Targets {
  if (absent.length === 0) return masses;
  return completedTargets({ ...masses, ...Object.fromEntries(absent.map((fraction) => [fraction, 0])) });
}

/**
 * Masses of a photo of which some are not known, completed after a guess: fractions share what known sums leave of them
 * in proportion to the guess (alike where it has none of them), and are as guessed where no sum tells. What is known
 * stays, all sums hold, and nothing is negative.
 *
 * @param known from `completedTargets`
 * @param guess green, dead and clover, grams
 */
export function completedAfter(known: Targets, guess: Readonly<Record<ComponentName, number>>): Targets {
  const masses = { ...known };
  const fill = (fractions: readonly ComponentName[], rest: number | null): void => {
    const weights = fractions.map((fraction) => Math.max(0, guess[fraction]));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    for (const [at, fraction] of fractions.entries()) {
      const share = sum > 0 ? (weights[at] as number) / sum : 1 / fractions.length;
      masses[fraction] = rest === null ? (weights[at] as number) : Math.max(0, rest) * share;
    }
  };
  const unknown = (fractions: readonly ComponentName[]): ComponentName[] =>
    fractions.filter((fraction) => !isKnown(known, fraction));
  const knownOf = (fractions: readonly ComponentName[]): number =>
    fractions.reduce((sum, fraction) => sum + (isKnown(known, fraction) ? known[fraction] : 0), 0);
  if (isKnown(known, 'gdm')) {
    fill(unknown(['green', 'clover']), known.gdm - knownOf(['green', 'clover']));
    fill(unknown(['dead']), null);
  } else {
    const all = ['green', 'dead', 'clover'] as const;
    fill(unknown(all), isKnown(known, 'total') ? known.total - knownOf(all) : null);
  }
  const { green, dead, clover } = masses;
  const gdm = isKnown(known, 'gdm') ? known.gdm : green + clover;
  return { green, dead, clover, gdm, total: isKnown(known, 'total') ? known.total : gdm + dead };
}
