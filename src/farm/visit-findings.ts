import { countOf } from '../ground/counts.ts';
import { UsageError } from '../ground/errors.ts';
import { type ByMass, byMass, type MassName } from '../pasture/targets.ts';
import { gramsToKilogramsPerHectare } from '../pasture/units.ts';
import type { Calibration } from './calibration.ts';
import type { CutResult } from './cut-result.ts';
import { cutsAtHeight } from './cutting-height.ts';
import type { Estimate } from './estimate.ts';
import { calibratedEstimate } from './fit-calibration.ts';
import type { Paddock } from './paddock.ts';
import { paddockHectares } from './paddock-area.ts';
import { hasLostParts, withPartsOfTotal } from './parts-of-total.ts';
import type { Figure } from './provenance.ts';
import { type AnsweringRun, runVariances } from './run-variances.ts';
import { type EffortNeeded, effortNeeded, visitSoFar, type WorkWorth, workWorth } from './sampling-effort.ts';
import { paddockTotal, type VisitMean, visitMean, vouchedNote } from './visit-mean.ts';

/** A frame of a visit: its photo's estimate and its settled cut, as far as they are there. */
export interface VisitFrame {
  readonly estimate: Estimate | null;
  readonly cut: CutResult | null;
}

/** What a visit's frames say of its paddock. */
export interface VisitFindings {
  /** Height that the means are above, cm; null without cuts, when it is that of the run's training cuts. */
  readonly cuttingHeightCentimetres: number | null;
  /** Means over the paddock, kg DM/ha; null where nothing tells. */
  readonly kgDmPerHa: ByMass<VisitMean | null>;
  readonly hectares: Figure | null;
  /** Dry matter of the paddock. */
  readonly paddockTotal: Figure | null;
  /** What is to be done for ±10 % and ±20 %. */
  readonly effort: Readonly<Record<keyof typeof PRECISIONS, EffortNeeded>> | null;
  /** What each kind of work would bring, the best first. */
  readonly worth: readonly WorkWorth[];
  /** The one that estimates were corrected by; null: none was. */
  readonly calibration: Calibration | null;
  readonly warnings: readonly string[];
}

/** Share of visits whose paddock lies within the interval. */
const COVERAGE = 0.9;
const PRECISIONS = { tenPercent: 0.1, twentyPercent: 0.2 } as const;

/**
 * A visit's means, and what they stand on: the same on a phone without a network as on the server.
 *
 * @param about the run that the estimates are of, null without any; the farm's calibration of it where that is applied
 */
export function visitFindings(
  frames: readonly VisitFrame[],
  about: {
    readonly paddock: Paddock;
    readonly run: AnsweringRun | null;
    readonly calibration: Calibration | null;
  },
): VisitFindings {
  const { paddock, run } = about;
  const height = usualCuttingHeight(frames);
  const warnings: string[] = [];
  const usable = usableFrames(frames, height, warnings);
  const seen = usable.filter(({ estimate, cut }) => estimate?.trainedOn && !cut).length;
  if (seen > 0) {
    warnings.push(
      `The run was trained on ${countOf(seen, 'photo')} of these: what it says there is memory, not prediction.`,
    );
  }
  // A visit's own cuts correct it better than those of others, and must not do so twice.
  const isCut = usable.some(({ cut }) => cut);
  const calibration = run && !isCut && about.calibration?.state === 'applied' ? about.calibration : null;
  if (calibration) warnings.push(`Corrected by the farm's calibration: ${calibration.says}`);
  const known = byMass((mass) => massMean(mass, usable, run, calibration, warnings));
  const means = withPartsOfTotal(known);
  if (hasLostParts(known, means)) {
    warnings.push('Photos saw none of what was cut, so what it is made of is not known.');
  }
  const { total } = means;
  const hectares = paddockHectares(paddock);
  const estimates = usable.flatMap(({ estimate }) => estimate?.kgDmPerHa.total ?? []);
  const variances = run && runVariances(run, 'total', estimates, toldOf(usable));
  // Heights would help a visit that has not got them all.
  const withHeight =
    run && toldOf(usable) === 'photo' ? runVariances(run, 'total', estimates, 'height') : null;
  const soFar = total && variances && visitSoFar(total, variances);
  return {
    cuttingHeightCentimetres: height,
    kgDmPerHa: means,
    hectares,
    paddockTotal: total && hectares ? paddockTotal(total, hectares) : null,
    effort: soFar && {
      tenPercent: effortNeeded(soFar, PRECISIONS.tenPercent),
      twentyPercent: effortNeeded(soFar, PRECISIONS.twentyPercent),
    },
    worth: soFar ? workWorth(soFar, withHeight) : [],
    calibration,
    warnings: [...new Set(warnings)],
  };
}

/** The height that most frames were cut at; null where none was cut. */
function usualCuttingHeight(frames: readonly VisitFrame[]): number | null {
  const counts = new Map<number, number>();
  for (const { cut } of frames) {
    if (cut) counts.set(cut.cuttingHeightCentimetres, (counts.get(cut.cuttingHeightCentimetres) ?? 0) + 1);
  }
  const [most] = [...counts].sort(([a, often], [b, rarely]) => rarely - often || a - b);
  return most?.[0] ?? null;
}

/** Leaves out cuts of other heights, and photos that are unlike those the run knows, unless they were cut. */
function usableFrames(
  frames: readonly VisitFrame[],
  height: number | null,
  warnings: string[],
): VisitFrame[] {
  const cuts = frames.flatMap(({ cut }) => (cut ? [cut] : []));
  const { used, warning } = cutsAtHeight(cuts, height ?? 0);
  if (warning) warnings.push(warning);
  const kept = frames.map((frame) =>
    frame.cut && !used.includes(frame.cut) ? { ...frame, cut: null } : frame,
  );
  const odd = kept.filter(({ estimate, cut }) => estimate?.outOfDomain.flagged && !cut);
  const others = kept.filter((frame) => !odd.includes(frame));
  const hasOthers = others.some(({ estimate, cut }) => estimate || cut);
  if (odd.length > 0) {
    warnings.push(
      hasOthers
        ? `${countOf(odd.length, 'photo')} left out: unlike those the run was trained on.`
        : 'All photos are unlike those the run was trained on; cut some frames, or do not rely on this.',
    );
  }
  return (hasOthers ? others : kept).filter(({ estimate, cut }) => estimate || cut);
}

/** What the run was told beside all photos: those that were not told the height of err as they do without. */
function toldOf(frames: readonly VisitFrame[]): 'photo' | 'height' {
  const estimates = frames.flatMap(({ estimate }) => estimate ?? []);
  return estimates.length > 0 && estimates.every(({ height }) => height !== null) ? 'height' : 'photo';
}

function massMean(
  mass: MassName,
  frames: readonly VisitFrame[],
  run: AnsweringRun | null,
  calibration: Calibration | null,
  warnings: string[],
): VisitMean | null {
  const sampled = frames
    .map(({ estimate, cut }) => ({
      estimate: estimate && calibratedEstimate(estimate, calibration).kgDmPerHa[mass],
      cut: cut && cutMass(cut, mass),
      isMemory: estimate?.trainedOn === true,
    }))
    .filter(({ estimate, cut }) => estimate !== null || cut !== null);
  if (sampled.length === 0) return null;
  const estimates = sampled.flatMap(({ estimate, cut, isMemory }) =>
    estimate === null || (isMemory && cut !== null) ? [] : [estimate],
  );
  try {
    const options = {
      coverage: COVERAGE,
      variances: run && runVariances(run, mass, estimates, toldOf(frames)),
      run: run ? `run ${run.name}` : 'a run whose errors are not known',
    };
    const mean = visitMean(sampled, options);
    const note = vouchedNote(mean, options);
    if (note) warnings.push(note);
    return mean;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    warnings.push(error.message);
    return null;
  }
}

/** kg DM/ha of a cut; of fractions only where it was sorted. */
function cutMass({ kgDmPerHa, masses, frameAreaSquareMetres }: CutResult, mass: MassName): number | null {
  if (mass === 'total') return kgDmPerHa;
  return masses && gramsToKilogramsPerHectare(masses[mass], frameAreaSquareMetres);
}
