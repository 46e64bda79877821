import { UsageError } from '../ground/errors.ts';

import { heightWords } from './cutting-height.ts';
import { type Figure, fromAll, type Source, sourceOf } from './provenance.ts';
import type { StockUnit } from './stock-units.ts';
import type { VisitMean } from './visit-mean.ts';

/** What is grazed, and by how many. */
export interface FeedBudgetQuestion {
  /** Feed on offer, kg DM/ha, with low and high where they are known. */
  readonly foo: Figure;
  /** Height that feed on offer is above, cm: what lies below is in no figure. */
  readonly cuttingHeightCentimetres: number;
  readonly hectares: Figure;
  /** What is left standing: kg DM/ha, or as the share that is eaten; one of the two. */
  readonly leave:
    | { readonly kind: 'residual'; readonly kgDmPerHa: number }
    | { readonly kind: 'utilisation'; readonly share: number };
  /** kg DM/ha a day; negative where dry feed decays. */
  readonly growth: number;
  /** Fed besides, kg DM a day for all. */
  readonly supplement: number;
  readonly head: number;
  /** Stock units a head. */
  readonly unitsPerHead: number;
  readonly unit: StockUnit;
}

/** How long the feed lasts. */
export type GrazingDays =
  | { readonly kind: 'days'; readonly days: number }
  /** As much grows, or is fed, as is eaten: it does not run out. */
  | { readonly kind: 'growth-meets-demand' };

/** How long a paddock feeds a mob. */
export interface FeedBudget {
  /** At the feed on offer that is estimated, and where it is as low or high as it may be. */
  readonly days: GrazingDays;
  readonly low: GrazingDays | null;
  readonly high: GrazingDays | null;
  /** kg DM a day: eaten, less what is fed and what grows. */
  readonly netDemand: number;
  /** kg DM that may be eaten. */
  readonly available: number;
  /** Of the stock unit, and what feed on offer is above: belongs beside every figure. */
  readonly definitions: readonly string[];
  readonly source: Source;
  readonly from: readonly string[];
}

/**
 * Feed on offer, by a visit's mean of the total.
 *
 * @param cuttingHeightCentimetres of the visit's cuts; null without any
 */
export function feedOnOffer(
  { mean, interval, source, from }: VisitMean,
  cuttingHeightCentimetres: number | null,
): Pick<FeedBudgetQuestion, 'foo' | 'cuttingHeightCentimetres'> {
  return {
    foo: {
      value: mean,
      ...(interval && { low: interval.low, high: interval.high }),
      unit: 'kg DM/ha',
      source,
      from: [...from],
    },
    // Those who measured for the runs of sward cut at ground level.
    cuttingHeightCentimetres: cuttingHeightCentimetres ?? 0,
  };
}

/**
 * Days that a paddock's feed lasts: Q / net, where Q = (FOO − residual) · ha, or FOO · utilisation · ha, and net =
 * head · intake − supplement − growth · ha, all in kg DM (MLA). Q of nothing or less is 0 days; net of nothing or less means
 * that growth meets demand.
 *
 * @throws UsageError for what cannot be, naming it
 */
export function feedBudget(question: FeedBudgetQuestion): FeedBudget {
  requirePossible(question);
  const { foo, hectares, leave, growth, supplement, head, unitsPerHead, unit } = question;
  const netDemand = head * unitsPerHead * unit.intake - supplement - growth * hectares.value;
  const availableOf = (standing: number): number =>
    (leave.kind === 'residual' ? standing - leave.kgDmPerHa : standing * leave.share) * hectares.value;
  const daysAt = (standing: number): GrazingDays => {
    const available = availableOf(standing);
    if (available <= 0) return { kind: 'days', days: 0 };
    return netDemand <= 0 ? { kind: 'growth-meets-demand' } : { kind: 'days', days: available / netDemand };
  };
  return {
    days: daysAt(foo.value),
    low: foo.low === undefined ? null : daysAt(foo.low),
    high: foo.high === undefined ? null : daysAt(foo.high),
    netDemand,
    available: Math.max(0, availableOf(foo.value)),
    definitions: [
      unit.definition,
      `feed on offer stands above ${heightWords(question.cuttingHeightCentimetres)}; what is below is not counted`,
    ],
    source: sourceOf([foo, hectares]),
    from: [
      ...fromAll([foo, hectares]),
      `growth ${growth} kg DM/ha a day, supplement ${supplement} kg DM a day, as given`,
    ],
  };
}

function requirePossible({
  foo,
  hectares,
  leave,
  growth,
  supplement,
  head,
  unitsPerHead,
}: FeedBudgetQuestion): void {
  const atLeastNothing = { 'feed on offer': foo.value, supplement, 'number of head': head };
  for (const [name, value] of Object.entries(atLeastNothing)) {
    if (value >= 0 && Number.isFinite(value)) continue;
    throw new UsageError(`${name} ${value}: give a number that is not negative`);
  }
  if (!Number.isFinite(growth)) throw new UsageError(`growth ${growth}: give a number`);
  if (!(hectares.value > 0)) throw new UsageError(`${hectares.value} ha: give the size of the paddock`);
  if (!(unitsPerHead > 0)) throw new UsageError(`${unitsPerHead} stock units a head: give a positive number`);
  if (leave.kind === 'residual' && !(leave.kgDmPerHa >= 0)) {
    throw new UsageError(`residual ${leave.kgDmPerHa} kg DM/ha: give a number that is not negative`);
  }
  if (leave.kind === 'utilisation' && !(leave.share > 0 && leave.share <= 1)) {
    throw new UsageError(`utilisation ${leave.share}: give a share above 0 and at most 1, as 0.5`);
  }
}
