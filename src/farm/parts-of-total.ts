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
 * clover. What was scaled says so in `from`. Without cuts nothing is corrected and nothing is changed; of a mass that is
 * null nothing is asked.
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
    if (!gdm || sum === null || gdm.cuts === 0) return means;
    // Nothing is above GDM: its parts are scaled to it.
    const share = shareOf(gdm.mean, sum);
    return {
      ...means,
      green: scaled(green, share, gdm, 'GDM'),
      clover: scaled(clover, share, gdm, 'GDM'),
    };
  }
  if (total.cuts === 0) return means;
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
