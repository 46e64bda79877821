import {
  type Calibration,
  calibratedMasses,
  cutsAtHeight,
  type EffortNeeded,
  effortNeeded,
  type Figure,
  type Paddock,
  paddockHectares,
  paddockTotal,
  type Visit,
  type VisitMean,
  visitMean,
  visitSoFar,
  type WorkWorth,
  workWorth,
} from '../../farm/index.ts';
import { UsageError } from '../../ground/errors.ts';
import { type ByMass, byMass, MASS_NAMES, type MassName, type Targets } from '../../pasture/targets.ts';
import { gramsToKilogramsPerHectare } from '../../pasture/units.ts';
import { notFound } from '../answers/refusal.ts';
import type { FarmRun, RunLibrary } from '../runs/library.ts';
import type { Database } from '../storage/database.ts';
import { stored } from '../storage/stored.ts';
import { runVariances } from './run-variances.ts';
import { usualCuttingHeight, type VisitFrame, visitFrames } from './visit-frames.ts';

/** Share of visits whose paddock lies within the interval. */
const COVERAGE = 0.9;
const PRECISIONS = { tenPercent: 0.1, twentyPercent: 0.2 } as const;

/** What a visit says of its paddock. */
export interface VisitSummary {
  readonly visit: Visit;
  readonly paddock: Paddock;
  readonly run: Pick<FarmRun, 'id' | 'name' | 'hash'> | null;
  readonly photos: number;
  readonly pending: number;
  readonly unusable: number;
  readonly unfinishedCuts: number;
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
  readonly calibration: Calibration | null;
  readonly warnings: readonly string[];
}

/** A visit's means, and what they stand on. @throws Refusal where there is no such visit */
export async function visitSummary(db: Database, runs: RunLibrary, visitId: string): Promise<VisitSummary> {
  const row = await db
    .selectFrom('visits')
    .innerJoin('paddocks', 'paddocks.id', 'visits.paddock_id')
    .select(['visits.body as visit', 'paddocks.body as paddock'])
    .where('visits.id', '=', visitId)
    .executeTakeFirst();
  if (!row) throw notFound('visit');
  const paddock = stored<Paddock>(row.paddock);
  const { frames, run, ...counts } = await visitFrames(db, runs, visitId);
  const height = usualCuttingHeight(frames);
  const warnings: string[] = [];
  const usable = usableFrames(frames, height, warnings);
  // A visit's own cuts correct it better than those of others, and must not do so twice.
  const isCut = usable.some(({ cut }) => cut);
  const calibration = run && !isCut ? await appliedCalibration(db, run) : null;
  if (calibration) warnings.push(`Corrected by the farm's calibration: ${calibration.says}`);
  const means = byMass((mass) => massMean(mass, usable, run, calibration, warnings));
  const { total } = means;
  const hectares = paddockHectares(paddock);
  const estimates = usable.flatMap(({ estimate }) => estimate?.kgDmPerHa.total ?? []);
  const variances = run && runVariances(run, 'total', estimates, toldOf(usable));
  // Heights would help a visit that has not got them all.
  const withHeight =
    run && toldOf(usable) === 'photo' ? runVariances(run, 'total', estimates, 'height') : null;
  const soFar = total && variances && visitSoFar(total, variances);
  return {
    visit: stored<Visit>(row.visit),
    paddock,
    run: run && { id: run.id, name: run.name, hash: run.hash },
    ...counts,
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
        ? `${odd.length} photos left out: unlike those the run was trained on.`
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
  run: FarmRun | null,
  calibration: Calibration | null,
  warnings: string[],
): VisitMean | null {
  const sampled = frames
    .map(({ estimate, cut }) => ({
      estimate: estimate === null ? null : corrected(estimate.kgDmPerHa, calibration)[mass],
      cut: cut === null ? null : cutMass(cut, mass),
    }))
    .filter(({ estimate, cut }) => estimate !== null || cut !== null);
  if (sampled.length === 0) return null;
  const estimates = sampled.flatMap(({ estimate }) => estimate ?? []);
  try {
    return visitMean(sampled, {
      coverage: COVERAGE,
      variances: run && runVariances(run, mass, estimates, toldOf(frames)),
      run: run ? `run ${run.name}` : 'no run',
    });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    warnings.push(error.message);
    return null;
  }
}

/** kg DM/ha of a cut; of fractions only where it was sorted. */
function cutMass(
  { kgDmPerHa, masses, frameAreaSquareMetres }: NonNullable<VisitFrame['cut']>,
  mass: MassName,
): number | null {
  if (mass === 'total') return kgDmPerHa;
  return masses && gramsToKilogramsPerHectare(masses[mass], frameAreaSquareMetres);
}

function corrected(masses: ByMass<number | null>, calibration: Calibration | null): ByMass<number | null> {
  const isWhole = MASS_NAMES.every((mass) => masses[mass] !== null);
  return calibration && isWhole ? calibratedMasses(masses as Targets, calibration) : masses;
}

/** The farm's last calibration of a run's total, where it is to be applied. */
async function appliedCalibration(db: Database, run: FarmRun): Promise<Calibration | null> {
  const row = await db
    .selectFrom('calibrations')
    .select('body')
    .where('run_hash', '=', run.hash)
    .orderBy('made_at', 'desc')
    .executeTakeFirst();
  const calibration = row ? stored<{ calibration: Calibration }>(row.body).calibration : null;
  return calibration?.state === 'applied' ? calibration : null;
}
