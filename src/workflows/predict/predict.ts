import { readFeatureTables } from '../../data/feature-tables.ts';
import { readCsv, rowName } from '../../formats/csv.ts';
import { InputError, UsageError } from '../../ground/errors.ts';
import { QUADRAT_AREA_SQUARE_METRES } from '../../pasture/units.ts';
import { openRun } from '../../runs/open-run.ts';
import type { PhotoPrediction } from '../../runs/prediction.ts';
import type { PhotoStates, PredictOptions, Run } from '../../runs/run.ts';
import { noMaps } from '../../runs/trained-run.ts';
import { type PaddockMean, type PredictionDoubt, runUncertainty } from '../../runs/uncertainty.ts';
import { featureRows, photoSamples, Samples, unknownSample } from '../../samples/samples.ts';
import { findPhotos } from '../../vision/photos/index.ts';
import { writePhotoMaps } from './biomass-maps.ts';
import { requirePredictionFormat, writePredictionFile } from './prediction-files.ts';

/** What is to be predicted: photos and folders of photos, or the rows of feature files. */
export type PredictionSource =
  | { readonly kind: 'photos'; readonly paths: readonly string[] }
  | {
      readonly kind: 'features';
      /** Several where a run, or the members of an ensemble, were trained on several. */
      readonly features: readonly string[];
      readonly ids: string;
    };

export interface PredictRunOptions extends PredictOptions {
  /** A run folder, or a run that is open already and stays so. */
  readonly run: string | Run;
  /** Photos and folders of photos, or rows of features. */
  readonly source: readonly string[] | PredictionSource;
  /** File to write: `.csv`, `.json` or `.geojson`; absent: none. */
  readonly out?: string;
  /** Frame that the grams stand on; default the competition's quadrat. */
  readonly areaSquareMetres?: number;
  /** Coverage of each photo's interval; absent: photos have none. */
  readonly coverage?: number;
  /** Whether a CSV has columns for how much the fold models differ and how unlike the training photos a photo is. */
  readonly uncertainty?: boolean;
  /** Coverage of the mean's interval; default that of the photos, or 0.9. */
  readonly paddockCoverage?: number;
  /** Folder to draw biomass maps into. */
  readonly maps?: string;
}

/** What a run says of photos. */
export interface PredictionOutcome {
  readonly predictions: readonly PhotoPrediction[];
  /** The mean of the photos as that of one visit to one paddock. */
  readonly paddock: PaddockMean;
  readonly doubts: readonly PredictionDoubt[];
  /** Sessions that intervals are calibrated on. */
  readonly sessions: number;
}

/** Coverage of a paddock's interval where none was asked for. */
export const USUAL_COVERAGE = 0.9;

/**
 * Predicts photos, or rows of features, with a run: masses in grams a quadrat with their intervals, the mean of all,
 * and what makes a prediction doubtful; writes them where that is asked for.
 *
 * @throws InputError when the run is unfinished or damaged, or a photo cannot be used
 * @throws UsageError for options that do not suit the run
 */
export async function predictRun(options: PredictRunOptions): Promise<PredictionOutcome> {
  const { run, out, source, tta = 'none' } = options;
  if (out !== undefined) requirePredictionFormat(out);
  if (!isPaths(source) && source.kind === 'features' && tta !== 'none') {
    throw new UsageError(`--tta ${tta} needs photos; features are of one view each`);
  }
  if (typeof run !== 'string') return predicted(run, options);
  await using opened = await openRun(run, { keepLoaded: false });
  return predicted(opened, options);
}

async function predicted(run: Run, options: PredictRunOptions): Promise<PredictionOutcome> {
  const { out, coverage, maps, uncertainty, areaSquareMetres = QUADRAT_AREA_SQUARE_METRES } = options;
  const source: PredictionSource = isPaths(options.source)
    ? { kind: 'photos', paths: options.source }
    : options.source;
  if (maps !== undefined) await requireMaps(run, source);
  if (source.kind === 'features' && (await run.capabilities()).predictsFrom === 'photos') {
    throw new UsageError(`${run.folder} was trained on photos; give photos instead of --features`);
  }
  const masses = await run.predict(await samplesOf(source), options);
  const known = runUncertainty((await run.results()).rows);
  const predictions = coverage === undefined ? masses : known.withIntervals(masses, coverage);
  if (out !== undefined) {
    await writePredictionFile(out, predictions, {
      areaSquareMetres,
      ...(coverage !== undefined && { coverage }),
      ...(uncertainty && { uncertainty }),
    });
  }
  if (maps !== undefined) {
    const { progress } = options;
    await writePhotoMaps(run, predictions, maps, { areaSquareMetres, ...(progress && { progress }) });
  }
  return {
    predictions,
    paddock: known.paddockMean(predictions, options.paddockCoverage ?? coverage ?? USUAL_COVERAGE),
    doubts: known.doubts(predictions),
    sessions: known.sessions,
  };
}

const isPaths = (source: PredictRunOptions['source']): source is readonly string[] => Array.isArray(source);

async function requireMaps(run: Run, source: PredictionSource): Promise<void> {
  if (source.kind === 'features') {
    throw new UsageError('--map needs photos; features show nothing to draw on');
  }
  if (!(await run.capabilities()).maps) throw noMaps(run.folder);
}

async function samplesOf(source: PredictionSource): Promise<Samples> {
  if (source.kind === 'photos') return photoSamples(await findPhotos(source.paths));
  const { ids, matrix } = await readFeatureTables(source.features, source.ids);
  return new Samples(ids.map(unknownSample), featureRows(matrix));
}

/**
 * Reads `--state`: the State of all photos (`WA`), or a CSV with the columns `image_id,State`.
 *
 * @throws InputError when the CSV cannot be read or names a photo twice
 */
export async function readPhotoStates(text: string): Promise<PhotoStates> {
  if (!text.toLowerCase().endsWith('.csv')) return () => text;
  const states = new Map<string, string>();
  for (const { line, cells } of (await readCsv(text, ['image_id', 'State'])).rows) {
    const id = cells.image_id ?? '';
    if (states.has(id))
      throw new InputError(rowName(text, line), `names ${id} a second time`, 'keep one row');
    if (cells.State) states.set(id, cells.State);
  }
  return (imageId) => states.get(imageId) ?? null;
}
