import { basename, dirname, resolve } from 'node:path';
import { PhotoIndex } from '../../data/own-table/photo-index.ts';
import { inspectOwnTable, type OwnTable } from '../../data/own-table/read.ts';
import { problemLine, throwOnError } from '../../data/problems.ts';
import { variancesAt } from '../../farm/error-record.ts';
import { farApartNotes } from '../../farm/far-apart.ts';
import {
  type EffortNeeded,
  effortNeeded,
  hasLostParts,
  inUnit,
  type ResidualVariances,
  type SampledFrame,
  type VisitMean,
  visitMean,
  visitSoFar,
  vouchedNote,
  type WorkWorth,
  withPartsOfTotal,
  workWorth,
} from '../../farm/index.ts';
import { countOf } from '../../ground/counts.ts';
import { InputError, UsageError } from '../../ground/errors.ts';
import type { Progress } from '../../ground/progress.ts';
import { HEIGHT, sameSet, sharedSet } from '../../pasture/covariates.ts';
import { USUAL_COVERAGE } from '../../pasture/intervals/index.ts';
import { isKnown, isSameMass } from '../../pasture/partial.ts';
import { type ByMass, byMass, MASS_NAMES, type MassName, type Targets } from '../../pasture/targets.ts';
import { gramsToKilogramsPerHectare, requireFrameArea } from '../../pasture/units.ts';
import { STARTER } from '../../runs/bundled-runs.ts';
import { type Calibration, calibrationOf } from '../../runs/calibration.ts';
import { errorRecords } from '../../runs/error-records.ts';
import { openRun } from '../../runs/open-run.ts';
import type { PhotoPrediction } from '../../runs/prediction.ts';
import type { Run } from '../../runs/run.ts';
import { commonFolder, type FoundPhoto, findPhotos, isPhotoName } from '../../vision/photos/index.ts';
import type { AskedCovariates } from '../predict/asked-readings.ts';
import { trainedOnLine } from '../predict/notes.ts';
import { askedPhotos, type PredictionOutcome, predictRun } from '../predict/predict.ts';

/** One visit to one paddock: its photos, and what was cut of them. */
export interface VisitOptions {
  /** A run folder or the name of one that comes with sward; default the starter. */
  readonly run?: string;
  /** Photos and folders of photos of the visit. */
  readonly photos: readonly string[];
  /** A table of cuts of photographed frames; absent: none was cut. */
  readonly cuts?: string;
  /** How the table is read; its photos are those of the visit, and `areaSquareMetres` is that of the frame cut. */
  readonly reading?: Partial<Omit<OwnTable, 'table' | 'photos'>>;
  /** What was measured beside the photos. */
  readonly covariates?: AskedCovariates;
  /** Share of visits whose paddock lies within the interval; default 0.9. */
  readonly coverage?: number;
  /** How near the mean of the total is to be, as a share of it; default 0.1. */
  readonly precision?: number;
  readonly progress?: Progress;
}

/** What is known of a paddock after a visit, kg DM/ha. */
export interface VisitOutcome {
  readonly run: string;
  /** The run's folder without its path. */
  readonly name: string;
  readonly photos: number;
  readonly cuts: number;
  /** What was read beside the photos; none: photos alone. */
  readonly covariates: readonly string[];
  /** Null of masses that are neither predicted nor cut. */
  readonly means: ByMass<VisitMean | null>;
  /** What more work on this visit would bring the total, the most helpful first; empty where nobody can tell. */
  readonly worth: readonly WorkWorth[];
  /** What is still to be done for the precision asked for; null where nobody can tell. */
  readonly effort: EffortNeeded | null;
  /** What a person is told of the means, a line each. */
  readonly notes: readonly string[];
  /** Photos unlike those the run was trained on, or the same, in words. */
  readonly doubts: readonly string[];
}

/** Masses by which cuts are compared with estimates: the first that was cut. */
const WEIGHTIEST_FIRST: readonly MassName[] = ['total', 'gdm', 'green'];

/** Where more photos than this share are unlike those trained on, the run's record of errors says nothing of them. */
const MOSTLY = 0.5;

/**
 * The mean of each mass over a paddock from the photos of one visit and cuts of some of them, with its interval, and what
 * more cuts, photos or heights would bring.
 *
 * @throws InputError when photos or the table of cuts cannot be used, or a cut is of no photo of the visit
 * @throws UsageError for options that do not suit the run
 */
export async function visitRun(options: VisitOptions): Promise<VisitOutcome> {
  const { run = STARTER, photos, coverage = USUAL_COVERAGE, precision = 0.1, progress, covariates } = options;
  for (const [name, share] of Object.entries({ coverage, precision })) {
    if (!(share > 0 && share < 1)) throw new UsageError(`${name} ${share}: give a share between 0 and 1`);
  }
  requireFrameArea(options.reading?.areaSquareMetres);
  if (photos.length === 0) {
    throw new UsageError('there is no photo of a visit; give photos or folders of photos');
  }
  await using opened = await openRun(run, { keepLoaded: 'inputs' });
  const found = await findPhotos(photos, (line) => progress?.line?.(line));
  // A table that cannot be used is said before photos are looked at for long.
  const rows = options.cuts === undefined ? [] : await readCuts(options, opened, found);
  const asked = await predictRun({
    run: opened,
    source: askedPhotos(found),
    ...(covariates && { covariates }),
    ...(progress && { progress }),
  });
  const { doubts, copies } = asked;
  const cuts = cutsById(rows, copies, options.cuts);
  const predictions = asked.predictions.filter(({ imageId }) => !copies.has(imageId));
  const seen = predictions.filter(({ trainedOn }) => trainedOn).length;
  const area = opened.areaSquareMetres;
  const calibration = await opened.calibration();
  const used = sharedSet(predictions.map(({ covariates = [] }) => covariates));
  const isStrange = doubts.filter(({ kind }) => kind !== 'range').length > MOSTLY * predictions.length;
  const variancesBy = (covariateSet: readonly string[], mass: MassName): ResidualVariances | null =>
    isStrange ? null : variancesOf(calibrationOf(calibration, covariateSet), mass, predictions, area);
  const cutArea = options.reading?.areaSquareMetres ?? area;
  const framesOf = (mass: MassName): SampledFrame[] =>
    predictions.map(({ targets, imageId, trainedOn }) => ({
      estimate: perHectare(targets, mass, area),
      cut: perHectare(cuts.get(imageId), mass, cutArea),
      isMemory: trainedOn === true,
    }));
  const notes = new Set<string>();
  const known = byMass((mass): VisitMean | null => {
    const frames = framesOf(mass);
    if (frames.every(({ estimate, cut }) => estimate === null && cut === null)) return null;
    const asked = { coverage, variances: variancesBy(used, mass), run: `run ${basename(opened.folder)}` };
    const mean = visitMean(frames, asked);
    const note = vouchedNote(mean, asked);
    if (note) notes.add(note);
    return mean;
  });
  const means = withPartsOfTotal(known);
  const variances = variancesBy(used, 'total');
  // Of a total that was moved to its parts the record of errors does not tell what more work would bring.
  const isMoved = means.total !== known.total;
  const soFar = means.total && variances && !isMoved ? visitSoFar(means.total, variances) : null;
  const readsHeight = calibration.cases?.some((one) => sameSet(one.covariates, [HEIGHT])) ?? false;
  return {
    run: opened.folder,
    name: basename(opened.folder),
    photos: predictions.length,
    cuts: cuts.size,
    covariates: used,
    means,
    worth: soFar
      ? workWorth(soFar, readsHeight && used.length === 0 ? variancesBy([HEIGHT], 'total') : null)
      : [],
    effort: soFar && effortNeeded(soFar, precision),
    notes: [...notes, ...notesOf(known, means), ...farApartNotes(WEIGHTIEST_FIRST.map(framesOf))],
    doubts: [
      ...(seen > 0 ? [trainedOnLine(seen, predictions.length)] : []),
      ...doubts.map(({ message }) => message),
    ],
  };
}

/** What was cut of a photo, grams on the frame cut. */
interface CutRow {
  readonly imageId: string;
  readonly targets: Targets;
}

/** Rows of the table of cuts. @throws InputError when it cannot be read, or names a photo that is not of the visit */
async function readCuts(
  { cuts = '', reading, progress }: VisitOptions,
  run: Run,
  photos: readonly FoundPhoto[],
): Promise<CutRow[]> {
  const ids = new Map(photos.map(({ path, imageId }) => [resolve(path), imageId]));
  const folder = commonFolder([...ids.keys()].map((path) => dirname(path)));
  const { photos: cut, problems } = await inspectOwnTable(
    { areaSquareMetres: run.areaSquareMetres, ...reading, table: cuts, photos: folder },
    isPhotoName,
    PhotoIndex.of(folder, [...ids.keys()], 'of the visit'),
  );
  throwOnError(cuts, problems);
  for (const problem of problems) progress?.line?.(`warning: ${problemLine(problem)}`);
  return cut.map(({ path, targets }) => ({ imageId: ids.get(resolve(path)) ?? '', targets }));
}

/** Cuts by the photo's id; of copies by that of the first. @throws InputError when copies were cut otherwise */
function cutsById(
  rows: readonly CutRow[],
  copies: PredictionOutcome['copies'],
  table = '',
): ReadonlyMap<string, Targets> {
  const known = new Map<string, Targets>();
  for (const { imageId, targets } of rows) {
    const id = copies.get(imageId) ?? imageId;
    const before = known.get(id);
    if (before && !MASS_NAMES.every((mass) => isSameMass(before[mass], targets[mass]))) {
      const what = `gives ${imageId} other masses than its copy, the same photo`;
      throw new InputError(table, what, 'keep the row of the frame that was cut');
    }
    known.set(id, targets);
  }
  return known;
}

/** Shares of a mean by which it is scaled unsaid. */
const UNSAID = 0.01;

/** What was made of means that came from cuts of each mass alone, so that they are sums of their parts. */
function notesOf(known: ByMass<VisitMean | null>, means: ByMass<VisitMean | null>): string[] {
  if (hasLostParts(known, means)) {
    return ['photos saw none of what was cut, so what it is made of is not known'];
  }
  const moved = MASS_NAMES.flatMap((mass) => {
    const [before, after] = [known[mass]?.mean ?? 0, means[mass]?.mean ?? 0];
    return Math.abs(after - before) <= UNSAID * Math.max(before, after)
      ? []
      : [`${mass} ${after.toFixed(0)} instead of ${before.toFixed(0)}`];
  });
  if (moved.length === 0) return [];
  const cuts = Math.min(...MASS_NAMES.map((mass) => known[mass]?.cuts ?? Number.POSITIVE_INFINITY));
  const all = known.total?.cuts ?? cuts;
  if (all === 0) {
    return [
      `the whole follows its parts, of which alone cuts tell (${moved.join(', ')} kg DM/ha); ` +
        'give the total of cuts too, and what more work would bring can be said',
    ];
  }
  const why =
    cuts === all
      ? 'each is corrected by its own cuts'
      : `of ${countOf(all, 'cut')} of the total ${cuts === 0 ? 'none says' : `${cuts} say`} its parts`;
  return [`the parts are made to sum to the whole (${moved.join(', ')} kg DM/ha): ${why}`];
}

function perHectare(targets: Targets | undefined, mass: MassName, area: number): number | null {
  return targets && isKnown(targets, mass) ? gramsToKilogramsPerHectare(targets[mass], area) : null;
}

function variancesOf(
  calibration: Calibration,
  mass: MassName,
  predictions: readonly PhotoPrediction[],
  area: number,
): ResidualVariances | null {
  const record = errorRecords(calibration)[mass];
  if (!record) return null;
  const grams = predictions.map(({ targets }) => targets[mass]);
  return inUnit(variancesAt(record, grams), gramsToKilogramsPerHectare(1, area));
}
