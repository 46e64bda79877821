import { basename } from 'node:path';
import { readFeatureTables } from '../../data/feature-tables.ts';
import { isMissing } from '../../data/missing.ts';
import { stateName } from '../../data/spellings.ts';
import { readCsv, rowName } from '../../formats/csv.ts';
import { InputError, UsageError } from '../../ground/errors.ts';
import { writeFileAtomically } from '../../ground/files.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import { USUAL_COVERAGE } from '../../pasture/intervals/index.ts';
import { scaledMasses } from '../../pasture/targets.ts';
import { requireFrameArea } from '../../pasture/units.ts';
import { STARTER } from '../../runs/bundled-runs.ts';
import type { RunCovariate } from '../../runs/covariates.ts';
import type { AboutRun } from '../../runs/manifest.ts';
import { openRun } from '../../runs/open-run.ts';
import { intervalsOnFrame, onFrame, type PhotoPrediction } from '../../runs/prediction.ts';
import { type PhotoStates, type PredictOptions, type Run, TEST_TIME_TURNS } from '../../runs/run.ts';
import { noMaps } from '../../runs/trained-run.ts';
import { type PaddockMean, type PredictionDoubt, runUncertainty } from '../../runs/uncertainty.ts';
import { NoUsablePhotos } from '../../samples/photo-reader.ts';
import { featureRows, photoSamples, Samples, unknownSample } from '../../samples/samples.ts';
import {
  type FoundPhoto,
  findPhotos,
  type PhotoContent,
  photoHash,
  type WholePhoto,
} from '../../vision/photos/index.ts';
import { type AskedCovariates, withAskedReadings } from './asked-readings.ts';
import { type NamedPhotos, requireOwnMaps, writePhotoMaps } from './biomass-maps.ts';
import { Copies } from './copies.ts';
import { requireOwnCrops, writeCrops } from './crops.ts';
import { copiesLine, frameNote } from './notes.ts';
import {
  type PaddockOrigin,
  paddockPath,
  paddockRecord,
  readWith,
  requireHectares,
  requireOwnPaddock,
} from './paddock-record.ts';
import { PredictionFile, requireFree, requirePredictionFormat } from './prediction-files.ts';
import type { PredictionFileOptions, ShownPaths } from './prediction-record.ts';

/** What is to be predicted: photos and folders of photos, contents of photo files, or the rows of feature files. */
export type PredictionSource =
  | readonly WholePhoto[]
  | {
      /** Several where a run, or the members of an ensemble, were trained on several. */
      readonly features: readonly string[];
      readonly ids: string;
    }
  | Asked;

/** Which run is asked about which photos, and what is wanted besides their masses. */
export interface PredictRunOptions extends PredictOptions {
  /**
   * A run folder, the name of a run that comes with sward, or a run that is open already and stays so; default the
   * starter.
   */
  readonly run?: string | Run;
  /** Photos and folders of photos, contents of photo files, or rows of features. */
  readonly source: PredictionSource;
  /** File to write: `.csv`, `.json` or `.geojson`; absent: none. */
  readonly out?: string;
  /** Whether files may be replaced that sward did not write; default not. */
  readonly overwrite?: boolean;
  /**
   * Area of the frame that grams are said on, m²; default that of the run's training data. What is said of a hectare is
   * the same for every frame.
   */
  readonly areaSquareMetres?: number;
  /** Coverage of each photo's interval, between 0 and 1; absent: photos have none, but 0.9 of a run that was passed on. */
  readonly coverage?: number;
  /**
   * Whether a CSV has columns for how much the fold models differ and how unlike the training photos a photo is;
   * default of runs that were passed on, as the starter.
   */
  readonly uncertainty?: boolean;
  /** Coverage of the mean's interval; default that of the photos, or 0.9. */
  readonly paddockCoverage?: number;
  /** Size of the photos' paddock, ha: mean and total are then written beside `out`, too. */
  readonly hectares?: number;
  /** Folder to draw biomass maps into. */
  readonly maps?: string;
  /** What was measured beside the photos, for runs that read it; default a `covariates.csv` beside them. */
  readonly covariates?: AskedCovariates;
  /** Folder to write what was taken of each photo into. */
  readonly shownCrops?: string;
  /** Has samples answered elsewhere, with all that is written of each photo; default: here. */
  readonly elsewhere?: AnsweredElsewhere;
}

/** Who answers samples in place of this process. */
export interface AnsweredElsewhere {
  /** As {@link predictedParts}; what is drawn of photos is written on the way. */
  readonly answers: typeof predictedParts;
  /** As {@link PredictionOutcome.copies}, of the photos that have been answered so far. */
  readonly copies: ReadonlyMap<string, string>;
}

/** What a run says of photos. */
export interface PredictionOutcome {
  readonly predictions: readonly PhotoPrediction[];
  /** Coverage of the photos' intervals; null where they have none. */
  readonly coverage: number | null;
  /** What results call a photo, by where it lies: its name in the folder that was given, or its path as given. */
  readonly shownPaths: ShownPaths;
  /** The mean of the photos as that of one visit to one paddock. */
  readonly paddock: PaddockMean;
  /** The file that has the mean and the paddock's total, where it was written. */
  readonly paddockFile: string | null;
  /** The same without photos that are doubtful; null where none is, or all are. */
  readonly sure: PaddockMean | null;
  readonly doubts: readonly PredictionDoubt[];
  /** Sessions that intervals are calibrated on. */
  readonly sessions: number;
  /** What is told of a run that was passed on; null of others. */
  readonly about: AboutRun | null;
  /** Area of the frame that grams stand on, m². */
  readonly areaSquareMetres: number;
  /** Photos that are the same file as an earlier one, by id, with that one's id: they count once in means. */
  readonly copies: ReadonlyMap<string, string>;
  /** What the run reads beside photos; none: photos alone. */
  readonly covariates: readonly RunCovariate[];
}

/**
 * Predicts photos, or rows of features, with a run: masses in grams a quadrat with their intervals, the mean of all,
 * and what makes a prediction doubtful; writes them where that is asked for.
 *
 * @throws InputError when the run is unfinished or damaged, or a photo cannot be used
 * @throws UsageError for options that do not suit the run
 */
export async function predictRun(options: PredictRunOptions): Promise<PredictionOutcome> {
  const { run = STARTER, out, hectares } = options;
  if (hectares !== undefined) requireHectares(hectares);
  if (out !== undefined) {
    requirePredictionFormat(out);
    await requireFree(out, options.overwrite);
    if (hectares !== undefined) await requireOwnPaddock(out, options.overwrite);
  }
  requireSoundOptions(options);
  if (typeof run !== 'string') return predicted(run, options);
  await using opened = await openRun(run, { keepLoaded: 'inputs' });
  return predicted(opened, options);
}

/** @throws UsageError for options that no run answers */
export function requireSoundOptions(options: PredictRunOptions): void {
  requireFrameArea(options.areaSquareMetres);
  requireOptionsSuitSource(options);
  for (const share of [options.coverage, options.paddockCoverage]) {
    if (share === undefined || (share > 0 && share < 1)) continue;
    throw new UsageError(`coverage ${share}: give a share between 0 and 1, as 0.9`);
  }
}

/** What is told of a run's predictions besides the masses, and on which frame. */
export function toldOf(run: Run, options: PredictRunOptions): Omit<PredictionFileOptions, 'shownPaths'> {
  // Who asks a run that others trained is told how far to trust it.
  const {
    areaSquareMetres = run.areaSquareMetres,
    coverage = run.about ? USUAL_COVERAGE : undefined,
    uncertainty = run.about !== null,
    crop = run.crop,
  } = options;
  return {
    areaSquareMetres,
    ...(coverage !== undefined && { coverage }),
    ...(uncertainty && { uncertainty }),
    ...(options.dropoutSamples && { dropout: true }),
    ...(run.covariates.length > 0 && { covariates: true }),
    ...(crop !== null && { framing: true }),
  };
}

/** Predictions with why what was measured beside their photos was not read. @param refused by id */
export const withRefusals = (
  predictions: readonly PhotoPrediction[],
  refused: ReadonlyMap<string, string>,
): PhotoPrediction[] =>
  predictions.map((prediction) => {
    const why = refused.get(prediction.imageId);
    return why === undefined ? prediction : { ...prediction, refused: why };
  });

async function predicted(run: Run, options: PredictRunOptions): Promise<PredictionOutcome> {
  const { out, maps } = options;
  const told = toldOf(run, options);
  const { areaSquareMetres, coverage } = told;
  // What the run says and is known to err by is on its own frame.
  const scale = areaSquareMetres / run.areaSquareMetres;
  const frameSaid = frameNote(run, areaSquareMetres);
  if (frameSaid !== null) options.progress?.line?.(frameSaid);
  const { source, shownCrops, crop = run.crop, elsewhere } = options;
  await requirePictures(run, options);
  if (!hasPhotos(source) && (await run.capabilities()).predictsFrom === 'photos') {
    throw new UsageError(`${run.folder} was trained on photos; give photos instead of --features`);
  }
  const asked = await askedOf(source, options.progress);
  const { shownPaths } = asked;
  // Whoever answers elsewhere would find it out long after.
  if (elsewhere) await run.requireAnswers(asked.samples, options);
  const { samples, refused, remarks } = await withAskedReadings(run, asked.samples, options.covariates);
  for (const remark of remarks) options.progress?.line?.(remark);
  await requireOwnPictures(samples, options);
  const known = runUncertainty(await run.calibration());
  const file = out === undefined ? null : await PredictionFile.begin(out, { ...told, shownPaths });
  const predictions: PhotoPrediction[] = [];
  try {
    for await (const masses of (elsewhere?.answers ?? predictedParts)(run, samples, options)) {
      const answered = withRefusals(masses, refused);
      const some = coverage === undefined ? answered : known.withIntervals(answered, coverage);
      await file?.add(some.map((prediction) => onFrame(prediction, scale)));
      predictions.push(...some);
    }
    await file?.finish();
  } catch (error) {
    await file?.abandon();
    throw error;
  }
  const predictedIds = new Set(predictions.map(({ imageId }) => imageId));
  const drawn = samples.take(samples.facts.flatMap(({ id }, item) => (predictedIds.has(id) ? [item] : [])));
  if (maps !== undefined && !elsewhere) {
    const { progress } = options;
    await writePhotoMaps(run, drawn, maps, { areaSquareMetres, scale, crop, ...(progress && { progress }) });
  }
  if (shownCrops !== undefined && !elsewhere) await writeCrops(drawn, crop, shownCrops);
  const copies = elsewhere?.copies ?? (await copiesAmong(drawn));
  const [firstCopy] = copies;
  const copiesSaid = copiesLine(firstCopy, copies.size);
  if (copiesSaid !== null) options.progress?.line?.(copiesSaid);
  const counted = predictions.filter(({ imageId }) => !copies.has(imageId));
  const doubts = known.doubts(predictions);
  const doubtful = new Set(doubts.map(({ imageId }) => imageId));
  const sure = counted.filter(({ imageId }) => !doubtful.has(imageId));
  const meanOf = (some: readonly PhotoPrediction[]): PaddockMean => {
    const own = known.paddockMean(some, options.paddockCoverage ?? coverage ?? USUAL_COVERAGE);
    return scale === 1
      ? own
      : {
          ...own,
          mean: scaledMasses(own.mean, scale),
          intervals: intervalsOnFrame(own.intervals, scale),
        };
  };
  const paddock = meanOf(counted);
  const paddockFile = out !== undefined && options.hectares !== undefined ? paddockPath(out) : null;
  if (paddockFile !== null) {
    const record = {
      ...paddockRecord(paddock, areaSquareMetres, options.hectares),
      made_from: {
        predictions: basename(out ?? ''),
        run: basename(run.folder),
        run_fingerprint: run.fingerprint,
        read_with: readWith(counted),
      } satisfies PaddockOrigin,
    };
    await writeFileAtomically(paddockFile, `${JSON.stringify(record, null, 2)}\n`);
  }
  return {
    predictions: predictions.map((prediction) => onFrame(prediction, scale)),
    shownPaths,
    coverage: coverage ?? null,
    paddock,
    paddockFile,
    sure: doubtful.size > 0 && sure.length > 0 ? meanOf(sure) : null,
    doubts,
    sessions: known.sessions,
    about: run.about,
    areaSquareMetres,
    copies,
    covariates: run.covariates,
  };
}

/** Photos whose file is, byte for byte, that of one before: by id, with the id of that one. */
async function copiesAmong(samples: Samples): Promise<ReadonlyMap<string, string>> {
  const copies = new Copies();
  if (!samples.hasPhotos) return copies.found;
  for (const [item, photo] of samples.photos.entries()) {
    copies.add(await photoHash(photo), samples.facts[item]?.id ?? '');
  }
  return copies.found;
}

/** What pictures are asked for, and where. */
type AskedPictures = Pick<PredictRunOptions, 'maps' | 'shownCrops' | 'crop' | 'overwrite'>;

/** @throws UsageError for pictures that the run cannot make */
export async function requirePictures(
  run: Run,
  { maps, shownCrops, crop = run.crop }: AskedPictures,
): Promise<void> {
  if (shownCrops !== undefined && crop === null) {
    throw new UsageError('--show-crop shows what --crop takes of photos; give --crop auto too');
  }
  if (maps !== undefined && !(await run.capabilities()).maps) throw noMaps(run.folder);
}

/** @throws UsageError for files that pictures of the photos would take the place of */
export async function requireOwnPictures(
  photos: NamedPhotos,
  { maps, shownCrops, overwrite = false }: AskedPictures,
): Promise<void> {
  if (overwrite) return;
  if (maps !== undefined) await requireOwnMaps(photos, maps);
  if (shownCrops !== undefined) await requireOwnCrops(photos, shownCrops);
}

/** Photos that are predicted together: enough to keep the machine busy, few enough to see rows come. */
const TOGETHER = 16;

/** What a run says of samples, part by part where there are many photos, so that memory does not grow with them. */
export async function* predictedParts(
  run: Run,
  samples: Samples,
  options: PredictOptions,
): AsyncGenerator<readonly PhotoPrediction[]> {
  const { ownBackbones } = await run.capabilities();
  // Each fold's own backbone is opened once; what dropout leaves out is drawn for all photos in turn.
  if (samples.count <= TOGETHER || !samples.hasPhotos || ownBackbones || options.dropoutSamples) {
    yield await run.predict(samples, options);
    return;
  }
  const { progress = SILENT } = options;
  progress.stage('Predicting', samples.count, 'photos');
  let told = 0;
  for (let start = 0; start < samples.count; start += TOGETHER) {
    const end = Math.min(start + TOGETHER, samples.count);
    const part = samples.take(Array.from({ length: end - start }, (_, index) => start + index));
    const predicted = await run.predict(part, { ...options, progress: SILENT }).catch((error: unknown) => {
      // Each photo was told of; the next may be better.
      if (error instanceof NoUsablePhotos) return [];
      throw error;
    });
    told += predicted.length;
    progress.advance(end - start);
    yield predicted;
  }
  progress.done();
  if (told === 0) throw new NoUsablePhotos(samples.count);
}

const isPhotos = (source: PredictionSource): source is readonly WholePhoto[] => Array.isArray(source);

const hasPhotos = (source: PredictionSource): boolean =>
  isPhotos(source) || ('samples' in source && source.samples.hasPhotos);

/** @throws UsageError for options that need photos */
function requireOptionsSuitSource({ source, maps, crop, shownCrops, tta = 'none' }: PredictRunOptions): void {
  if (!Object.hasOwn(TEST_TIME_TURNS, tta)) {
    throw new UsageError(`tta ${tta}: use one of ${Object.keys(TEST_TIME_TURNS).join(', ')}`);
  }
  if (typeof source === 'string') throw new UsageError(`source ${source}: give a list of photos and folders`);
  if (hasPhotos(source)) {
    if (isPhotos(source) && source.length === 0)
      throw new UsageError('there is nothing to predict; give photos or folders of photos');
    return;
  }
  if (maps !== undefined) throw new UsageError('--map needs photos; features show nothing to draw on');
  if (crop || shownCrops !== undefined)
    throw new UsageError('--crop is for photos; features are made already');
  if (tta !== 'none') throw new UsageError(`--tta ${tta} needs photos; features are of one view each`);
}

/** Samples that are there already, and what results call their photos. */
export interface Asked {
  readonly samples: Samples;
  readonly shownPaths: ShownPaths;
}

/** Photos that were found, as they are asked about. */
export function askedPhotos(photos: readonly (FoundPhoto | PhotoContent)[]): Asked {
  const files = photos.flatMap((photo) => ('path' in photo ? [photo] : []));
  return {
    samples: photoSamples(photos),
    shownPaths: new Map(files.map(({ path, shownPath }) => [path, shownPath])),
  };
}

async function askedOf(source: PredictionSource, progress: Progress = SILENT): Promise<Asked> {
  if (isPhotos(source)) {
    const photos = await findPhotos(source, (line) => progress.line?.(line));
    return askedPhotos(photos);
  }
  if ('samples' in source) return source;
  const { ids, matrix } = await readFeatureTables(source.features, source.ids);
  return { samples: new Samples(ids.map(unknownSample), featureRows(matrix)), shownPaths: new Map() };
}

/**
 * Reads `--state`: the State of all photos (`WA`), or a CSV with the columns `image_id,State`.
 *
 * @throws InputError when the CSV cannot be read or names a photo twice
 */
export async function readPhotoStates(text: string): Promise<PhotoStates> {
  if (!text.toLowerCase().endsWith('.csv')) {
    const state = isMissing(text) ? null : stateName(text);
    return () => state;
  }
  const states = new Map<string, string>();
  for (const { line, cells } of (await readCsv(text, ['image_id', 'State'])).rows) {
    // Files and tables may have accents composed or not.
    const id = (cells.image_id ?? '').normalize();
    if (states.has(id))
      throw new InputError(rowName(text, line), `names ${id} a second time`, 'keep one row');
    if (!isMissing(cells.State)) states.set(id, stateName(cells.State ?? ''));
  }
  return (imageId) => states.get(imageId.normalize()) ?? null;
}
