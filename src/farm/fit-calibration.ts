import { countOf, forCount } from '../ground/counts.ts';
import { mean } from '../ground/statistics.ts';
import { groupBySession } from '../pasture/intervals/index.ts';
import type { MassName, Targets } from '../pasture/targets.ts';
import { byMass, MASS_NAMES } from '../pasture/targets.ts';
import type { Calibration } from './calibration.ts';
import { cutsAtHeight } from './cutting-height.ts';
import type { Estimate, RunReference } from './estimate.ts';
import type { ResidualVariances } from './residual-variances.ts';

/** A frame that a run estimated before it was cut, kg DM/ha. */
export interface CalibrationPair {
  readonly visit: string;
  readonly estimate: number;
  readonly cut: number;
  readonly cuttingHeightCentimetres: number;
  /** Whether the run was trained on this very photo: its estimate is memory, and says nothing of how it errs. */
  readonly trainedOn: boolean;
}

/** estimate ↦ offset + slope · estimate. */
export interface Correction {
  /** kg DM/ha. */
  readonly offset: number;
  readonly slope: number;
}

/** The correction that changes nothing. */
export const IDENTITY: Correction = { offset: 0, slope: 1 };

/** With fewer cuts nothing is corrected, with so many the offset. */
const CUTS_FOR_OFFSET = 5;
/** And from so many on, of two visits or more, the slope too. */
const CUTS_FOR_SLOPE = 10;
const FEWEST_VISITS = 2;

/**
 * Offset and slope that a farm's cuts speak for, shrunk towards the identity: with r = cut − estimate and X = [1, estimate],
 * (a, b − 1) = (XᵀX / σ² + diag(1 / τ_a², 1 / τ_b²))⁻¹ Xᵀ r / σ², the mean of what is believed of them once the cuts are
 * seen. σ² is the variance of a cut's whole residual; τ_a² that of what sessions err by in common, which a farm's offset is
 * of; τ_b is as much at the mean estimate. Without cuts nothing is corrected.
 *
 * @param variances of the run's residuals on sessions it has not seen, (kg DM/ha)²
 */
export function shrunkenCorrection(
  pairs: readonly Pick<CalibrationPair, 'estimate' | 'cut'>[],
  { betweenSessions, withinSessions }: Pick<ResidualVariances, 'betweenSessions' | 'withinSessions'>,
  withSlope: boolean,
): Correction {
  if (pairs.length === 0 || betweenSessions === 0) return IDENTITY;
  const noise = betweenSessions + withinSessions;
  const estimates = pairs.map(({ estimate }) => estimate);
  const residuals = pairs.map(({ estimate, cut }) => cut - estimate);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  // All of the formula times σ², so that priors stand as how many cuts they are worth.
  const offsetWeight = pairs.length + noise / betweenSessions;
  const usual = mean(estimates);
  if (!withSlope || usual === 0) return { offset: sum(residuals) / offsetWeight, slope: 1 };
  const slopeWeight = sum(estimates.map((x) => x * x)) + (noise * usual ** 2) / betweenSessions;
  const cross = sum(estimates);
  const [right0, right1] = [sum(residuals), sum(residuals.map((r, at) => r * (estimates[at] as number)))];
  const determinant = offsetWeight * slopeWeight - cross ** 2;
  return {
    offset: (slopeWeight * right0 - cross * right1) / determinant,
    slope: 1 + (offsetWeight * right1 - cross * right0) / determinant,
  };
}

/** An estimate as corrected, kg DM/ha; never below nothing. */
export function corrected({ offset, slope }: Correction, estimate: number): number {
  return Math.max(0, offset + slope * estimate);
}

/** What a farm's calibration is made from. */
export interface CalibrationQuestion {
  readonly run: RunReference;
  readonly mass: MassName;
  /** Settled cuts of photographed frames (`cutResult`); those that the run was trained on are left out, and counted. */
  readonly pairs: readonly CalibrationPair[];
  /** Height that estimates are to mean; cuts of other heights are left out. */
  readonly cuttingHeightCentimetres: number;
  /** Of this mass, (kg DM/ha)². */
  readonly variances: ResidualVariances;
}

/**
 * A farm's correction of a run by its own cuts. Under 5 cuts it is a report only; from 5 on the offset is fitted, from 10
 * on of two visits or more the slope too. It is applied when visits that are left out in turn are nearer with it than
 * without; of one visit none can be left out, and the correction stays provisional. Photos that the run was trained on
 * have no part in it, nor in its errors.
 */
export function fitCalibration({
  run,
  mass,
  pairs,
  cuttingHeightCentimetres,
  variances,
}: CalibrationQuestion): Calibration {
  const unseen = pairs.filter(({ trainedOn }) => !trainedOn);
  const { used, apart, warning } = cutsAtHeight(unseen, cuttingHeightCentimetres);
  const memory = memoryWords(pairs.length - unseen.length);
  const visits = groupBySession(used.map((pair) => ({ ...pair, session: pair.visit })));
  const several = visits.length >= FEWEST_VISITS;
  const enough = used.length >= CUTS_FOR_OFFSET;
  const withSlope = several && used.length >= CUTS_FOR_SLOPE;
  const fit = (some: readonly CalibrationPair[]): Correction =>
    shrunkenCorrection(some, variances, withSlope);
  const before = used.length > 0 ? errorsOf(used, () => IDENTITY) : null;
  const after =
    enough && several
      ? errorsOf(used, ({ visit }) => fit(used.filter((pair) => pair.visit !== visit)))
      : null;
  const state = !enough
    ? 'report-only'
    : !after || !before
      ? 'provisional'
      : after.rmse < before.rmse
        ? 'applied'
        : 'no-better';
  const found = {
    run,
    mass,
    cuttingHeightCentimetres,
    ...(enough ? fit(used) : IDENTITY),
    cuts: used.length,
    visits: visits.length,
    cutsOfOtherHeights: apart.length,
    state,
    before,
    after,
  } satisfies Omit<Calibration, 'says'>;
  return { ...found, says: [sentence(found), memory ?? [], warning ?? []].flat().join(' ') };
}

function errorsOf(
  pairs: readonly CalibrationPair[],
  correctionOf: (pair: CalibrationPair) => Correction,
): { rmse: number; bias: number } {
  const errors = pairs.map((pair) => corrected(correctionOf(pair), pair.estimate) - pair.cut);
  return { rmse: Math.sqrt(mean(errors.map((error) => error * error))), bias: mean(errors) };
}

/** What is said of cuts of photos that the run was trained on; null where there are none. */
const memoryWords = (count: number): string | null =>
  count === 0
    ? null
    : `${countOf(count, 'cut')} left out: the run was trained on ${forCount(count, 'its photo', 'their photos')}, and what it ` +
      'says there is memory.';

function sentence({ cuts, visits, state, before, after }: Omit<Calibration, 'says'>): string {
  const of = `${countOf(cuts, 'cut')} of ${countOf(visits, 'visit')}`;
  const was = before ? ` Estimates were off by ${before.rmse.toFixed(0)} kg DM/ha.` : '';
  if (state === 'report-only') {
    return `${of}: estimates are not corrected with fewer than ${CUTS_FOR_OFFSET}.${was}`;
  }
  if (state === 'provisional' || !after || !before) {
    return `${of}: not applied before a second visit is cut.${was}`;
  }
  const errors = `of visits left out, off by ${before.rmse.toFixed(0)} kg DM/ha before and ${after.rmse.toFixed(0)} after`;
  return state === 'applied'
    ? `${of}: it helps; ${errors}.`
    : `${of}: not applied, since it does not help; ${errors}.`;
}

/**
 * Masses of an estimate under the calibration of its total, kg DM/ha: all by the same factor, so that sums hold. Unchanged
 * where the calibration is not applied, or nothing was seen.
 *
 * @param calibration of the mass `total`
 */
export function calibratedMasses(masses: Targets, calibration: Calibration): Targets {
  if (calibration.state !== 'applied' || !(masses.total > 0)) return masses;
  const factor = corrected(calibration, masses.total) / masses.total;
  return byMass((mass) => masses[mass] * factor);
}

/**
 * An estimate under the calibration of its run's total, with where it lies. Unchanged where there is none, it is not
 * applied, or the run does not say all masses.
 */
export function calibratedEstimate(estimate: Estimate, calibration: Calibration | null): Estimate {
  const { kgDmPerHa, masses, interval } = estimate;
  const isWhole = MASS_NAMES.every((mass) => kgDmPerHa[mass] !== null);
  if (!calibration || !isWhole || !kgDmPerHa.total) return estimate;
  const calibrated = calibratedMasses(kgDmPerHa as Targets, calibration);
  const factor = calibrated.total / kgDmPerHa.total;
  const by = (value: number | null): number | null => (value === null ? null : value * factor);
  return {
    ...estimate,
    kgDmPerHa: calibrated,
    masses: byMass((mass) => by(masses[mass])),
    interval: interval && {
      coverage: interval.coverage,
      ...byMass((mass): [number, number] | null => {
        const range = interval[mass];
        return range && [range[0] * factor, range[1] * factor];
      }),
    },
  };
}
