import { countOf } from '../ground/counts.ts';
import { type ByMass, MASS_NAMES } from '../pasture/targets.ts';
import { sourceOf } from './provenance.ts';
import type { VisitMean } from './visit-mean.ts';

/** A visit's means, kg DM/ha. */
export type VisitMeans = ByMass<VisitMean | null>;

/**
 * Means that are sums of their parts: GDM of green and clover, the total of GDM and dead. Each mass of a visit is corrected
 * by the cuts of it alone, by how the run errs on that mass, so that the means as they come need not sum. The total stands
 * as it is, and its parts are scaled to it in proportion; GDM's own mean counts where more cuts tell it than tell green and
 * clover. A whole that no cut tells, where cuts tell a part, is moved to the sum of its parts with its interval, which is
 * kept as wide as it was, or as wide as those of the parts together where that is wider. What was scaled or moved says so
 * in `from`. Without cuts nothing is corrected and nothing is changed; of a mass that is null nothing is asked.
 *
 * @returns parts of what photos saw none of, and cuts did, are null
 */
export function withPartsOfTotal(means: VisitMeans): VisitMeans {
  const { green, dead, clover, gdm, total } = means;
  const sum = green && clover ? green.mean + clover.mean : null;
  const known = gdm && (sum === null || gdm.cuts > Math.min(green?.cuts ?? 0, clover?.cuts ?? 0));
  const living = known ? gdm.mean : sum;
  if (living === null) return means;
  if (!total || !dead) {
    if (!gdm || !green || !clover || sum === null) return means;
    if (gdm.cuts === 0) return { ...means, gdm: moved(gdm, [green, clover], [green, clover]) };
    // Nothing is above GDM: its parts are scaled to it.
    const share = shareOf(gdm.mean, sum);
    return {
      ...means,
      green: scaled(green, share, gdm, 'GDM'),
      clover: scaled(clover, share, gdm, 'GDM'),
    };
  }
  if (total.cuts === 0) return withTotalOfParts({ ...means, dead, total });
  const share = shareOf(total.mean, living + dead.mean);
  const ofParts = share === null || sum === null ? null : shareOf(living * share, sum);
  return {
    green: scaled(green, ofParts, total),
    dead: scaled(dead, share, total),
    clover: scaled(clover, ofParts, total),
    gdm: gdm && scaled(gdm, share === null ? null : shareOf(living * share, gdm.mean), total),
    total,
  };
}

/** Means of which no cut tells the total: cuts of a part move it. */
function withTotalOfParts(
  means: VisitMeans & { readonly dead: VisitMean; readonly total: VisitMean },
): VisitMeans {
  const { green, clover, dead, total } = means;
  const { gdm, ...parts } = withPartsOfTotal({ ...means, dead: null, total: null });
  const split = green && clover ? [green, clover] : [];
  const living = gdm ? [gdm] : split;
  return { ...parts, gdm, dead, total: moved(total, [...living, dead], [...living, ...split, dead]) };
}

/** Whether photos saw none of what was cut, so that what it is made of is not known: {@link withPartsOfTotal} left it out. */
export const hasLostParts = (known: VisitMeans, means: VisitMeans): boolean =>
  MASS_NAMES.some((mass) => known[mass] && !means[mass]);

/** What a sum is multiplied by to be the whole; null of nothing that something is to be made of. */
function shareOf(whole: number, sum: number): number | null {
  if (Math.abs(whole - sum) <= ROUNDING * Math.max(whole, sum)) return 1;
  return sum > 0 ? whole / sum : null;
}

/** Sums of decimal fractions differ by so much of themselves. */
const ROUNDING = 1e-9;

function scaled(
  part: VisitMean | null,
  factor: number | null,
  whole: VisitMean,
  name = 'the total',
): VisitMean | null {
  if (part === null || factor === null) return null;
  if (factor === 1) return part;
  const { mean, interval, standardError, spread } = part;
  return {
    ...part,
    mean: mean * factor,
    interval: interval && { ...interval, low: interval.low * factor, high: interval.high * factor },
    standardError: standardError === null ? null : standardError * factor,
    spread: spread === null ? null : spread * factor ** 2,
    source: sourceOf([part, whole]),
    from: [...part.from, `scaled to ${name} of ${countOf(whole.cuts, 'cut')}`],
  };
}

/** A whole that no cut tells, as the sum of parts; as it is where none of those that may have been was cut. */
function moved(
  whole: VisitMean,
  parts: readonly VisitMean[],
  cutOnes: readonly Pick<VisitMean, 'cuts'>[],
): VisitMean {
  const mean = parts.reduce((sum, part) => sum + part.mean, 0);
  const cuts = Math.max(...cutOnes.map((part) => part.cuts));
  if (cuts === 0 || shareOf(mean, whole.mean) === 1) return whole;
  const { interval, standardError } = whole;
  const half = Math.max(halfOf(whole), Math.hypot(...parts.map(halfOf)));
  return {
    ...whole,
    mean,
    interval: interval && { ...interval, low: Math.max(0, mean - half), high: mean + half },
    standardError:
      standardError === null
        ? null
        : Math.max(standardError, Math.hypot(...parts.map((part) => part.standardError ?? 0))),
    source: sourceOf([whole, ...parts]),
    from: [...whole.from, `moved to the sum of its parts, corrected by ${countOf(cuts, 'cut')}`],
  };
}

/** Half of an interval: the upper one, as the lower one ends at nothing. */
const halfOf = ({ mean, interval }: VisitMean): number => (interval ? interval.high - mean : 0);
