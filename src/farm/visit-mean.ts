import { countOf } from '../ground/counts.ts';
import { UsageError } from '../ground/errors.ts';
import { mean as meanOf, squaredDeviations } from '../ground/statistics.ts';
import { regressionMean } from './double-sampling.ts';
import { vouchedBy } from './error-record.ts';
import { halfWidthOf, partsOfMean, type VariancePart } from './mean-interval.ts';
import { residualShare } from './mean-variance.ts';
import { type Figure, type Source, sourceOf } from './provenance.ts';
import type { ResidualVariances } from './residual-variances.ts';

/** One mass of a frame that was photographed, cut or both, kg DM/ha; null: not photographed, not cut. */
export interface SampledFrame {
  readonly estimate: number | null;
  readonly cut: number | null;
  /** Whether the run was trained on the photo: what it says of it is memory then, and tells nothing of its errors. */
  readonly isMemory?: boolean;
}

/** How a visit's mean was made. */
export type VisitMethod = 'photos' | 'photos-and-cuts' | 'regression' | 'cuts';

/** The mean of one mass over a paddock on one visit, kg DM/ha. */
export interface VisitMean {
  readonly mean: number;
  /** Null where too few frames tell how uneven the paddock is; its coverage may be less than was asked for. */
  readonly interval: { readonly coverage: number; readonly low: number; readonly high: number } | null;
  /** Null with the interval. */
  readonly standardError: number | null;
  /** Variance between frames of the values that were averaged; null of a single one. */
  readonly spread: number | null;
  readonly frames: number;
  readonly cuts: number;
  /** Cuts of frames that were photographed first, which tell what the photos err by. */
  readonly paired: number;
  readonly method: VisitMethod;
  readonly source: Source;
  readonly from: readonly string[];
}

/** What a visit's mean is asked with. */
export interface VisitMeanOptions {
  /** Share of visits whose paddock lies within the interval. */
  readonly coverage: number;
  /**
   * How the run errs on visits it has not seen, (kg DM/ha)²; null where that is not known, as of photos that are unlike
   * those it was trained on: estimates then count by what the visit's own cuts say of them.
   */
  readonly variances: ResidualVariances | null;
  /** Where estimates come from, for provenance, as `run starter`. */
  readonly run: string;
}

/** Without a record of errors fewer cuts are better averaged alone: measured, see docs/farm.md. */
export const FEWEST_CUTS_TO_REGRESS = 10;

/**
 * The mean of a paddock from a visit's photos and cuts, with where it lies.
 *
 * Photos alone: their mean. With cuts: a cut frame counts as it was weighed, and the others as estimated, moved by the
 * cuts' mean residual times {@link residualShare}. Where the run's errors are not known: double sampling from 10 cuts on,
 * and the mean of the cuts alone below. The interval is Student's, its degrees of freedom by Satterthwaite (1946) from
 * sessions, photos and frames that the parts of the variance are known by; one that stands on the run's record of errors
 * claims no more than its sessions can vouch for. Estimates that are memory correct nothing: their frames count as cut.
 *
 * @param sampled at least one, each photographed or cut; cuts of one cutting height alone (`cutsAtHeight`)
 * @throws UsageError where nothing is there to average
 */
export function visitMean(sampled: readonly SampledFrame[], options: VisitMeanOptions): VisitMean {
  const frames = sampled.map((frame) =>
    frame.isMemory && frame.cut !== null ? { ...frame, estimate: null } : frame,
  );
  const cuts = cutsOf(frames);
  const estimates = frames.flatMap(({ estimate }) => (estimate === null ? [] : [estimate]));
  if (cuts.length + estimates.length === 0) {
    throw new UsageError('no photo and no cut of this visit; photograph a frame or cut one');
  }
  if (cuts.length === frames.length) return cutMean(frames, options);
  if (options.variances)
    return asVouched(correctedMean(frames, options.variances, options), options.variances);
  if (cuts.length === 0) {
    throw new UsageError(
      `How far ${options.run} is off on such photos is not known: cut at least ${FEWEST_CUTS} frames, and they tell.`,
    );
  }
  const pairs = pairsOf(frames);
  return pairs.length < FEWEST_CUTS_TO_REGRESS
    ? cutMean(frames, options)
    : regressed(estimates, pairs, options);
}

/** Of one transect (MLA, pasture cuts and estimations). */
const FEWEST_CUTS = 5;

function correctedMean(
  frames: readonly SampledFrame[],
  variances: ResidualVariances,
  options: VisitMeanOptions,
): VisitMean {
  const residuals = pairsOf(frames).map(({ cut, estimate }) => cut - estimate);
  const share = residualShare(variances, residuals.length);
  const shift = residuals.length > 0 ? share * meanOf(residuals) : 0;
  const values = frames.flatMap(({ cut, estimate }) => {
    if (cut !== null) return [cut];
    // A correction does not make less than nothing of a frame.
    return estimate === null ? [] : [Math.max(0, estimate + shift)];
  });
  const cuts = cutsOf(frames).length;
  const mean = meanOf(values);
  const spread = varianceOf(values, mean);
  const design = { frames: values.length, cuts, paired: residuals.length };
  return withInterval(
    {
      mean,
      spread,
      ...design,
      method: cuts > 0 ? 'photos-and-cuts' : 'photos',
      source: 'modelled',
      from: [
        `${countOf(values.length - cuts, 'photo')} by ${options.run}`,
        ...(cuts > 0 ? [countOf(cuts, 'cut')] : []),
      ],
    },
    spread === null ? null : partsOfMean({ ...design, spread }, variances),
    options.coverage,
  );
}

/** A mean whose interval claims no more than the run's sessions can vouch for. */
function asVouched(known: VisitMean, variances: ResidualVariances): VisitMean {
  const { interval } = known;
  if (!interval) return known;
  return { ...known, interval: { ...interval, coverage: Math.min(interval.coverage, vouchedBy(variances)) } };
}

/** What is said of an interval that claims less than was asked for; null of others. */
export function vouchedNote(
  { interval }: Pick<VisitMean, 'interval'>,
  { coverage, variances }: Pick<VisitMeanOptions, 'coverage' | 'variances'>,
): string | null {
  if (!interval || !variances || interval.coverage >= coverage) return null;
  return (
    `How the run errs is known from ${countOf(variances.sessions, 'session')} alone: they vouch for ` +
    `${Math.floor(100 * interval.coverage)} % of such visits at most, not for ${Number((100 * coverage).toPrecision(3))} %.`
  );
}

const cutsOf = (frames: readonly SampledFrame[]): number[] =>
  frames.flatMap(({ cut }) => (cut === null ? [] : [cut]));

interface Pair {
  readonly estimate: number;
  readonly cut: number;
}

/** Frames that were photographed and cut. */
const pairsOf = (frames: readonly SampledFrame[]): Pair[] =>
  frames.flatMap(({ cut, estimate }) => (cut === null || estimate === null ? [] : [{ cut, estimate }]));

function cutMean(frames: readonly SampledFrame[], { coverage }: VisitMeanOptions): VisitMean {
  const cuts = cutsOf(frames);
  const mean = meanOf(cuts);
  const spread = varianceOf(cuts, mean);
  return withInterval(
    {
      mean,
      spread,
      frames: cuts.length,
      cuts: cuts.length,
      paired: pairsOf(frames).length,
      method: 'cuts',
      source: 'measured',
      from: [countOf(cuts.length, 'cut')],
    },
    spread === null ? null : [{ variance: spread / cuts.length, freedom: cuts.length - 1 }],
    coverage,
  );
}

function regressed(
  estimates: readonly number[],
  pairs: readonly Pair[],
  { run, coverage }: VisitMeanOptions,
): VisitMean {
  const cuts = pairs.map(({ cut }) => cut);
  const { mean, variance } = regressionMean(estimates, pairs);
  return withInterval(
    {
      mean: Math.max(0, mean),
      spread: varianceOf(cuts, meanOf(cuts)),
      frames: estimates.length,
      cuts: pairs.length,
      paired: pairs.length,
      method: 'regression',
      source: 'modelled',
      from: [`${countOf(estimates.length, 'photo')} by ${run}`, countOf(pairs.length, 'cut')],
    },
    [{ variance, freedom: pairs.length - 2 }],
    coverage,
  );
}

/** Sample variance (n − 1); null of a single value. */
function varianceOf(values: readonly number[], mean: number): number | null {
  return values.length > 1 ? squaredDeviations(values, mean) / (values.length - 1) : null;
}

function withInterval(
  known: Omit<VisitMean, 'interval' | 'standardError'>,
  parts: readonly VariancePart[] | null,
  coverage: number,
): VisitMean {
  if (parts === null) return { ...known, interval: null, standardError: null };
  const variance = parts.reduce((sum, part) => sum + part.variance, 0);
  const half = halfWidthOf(parts, coverage);
  return {
    ...known,
    standardError: Math.sqrt(variance),
    interval: { coverage, low: Math.max(0, known.mean - half), high: known.mean + half },
  };
}

/** Dry matter of a whole paddock, kg: mean × hectares. */
export function paddockTotal(visit: VisitMean, hectares: Figure): Figure {
  const { mean, interval, from } = visit;
  return {
    value: mean * hectares.value,
    ...(interval && { low: interval.low * hectares.value, high: interval.high * hectares.value }),
    unit: 'kg DM',
    source: sourceOf([visit, hectares]),
    from: [...from, ...hectares.from],
  };
}
