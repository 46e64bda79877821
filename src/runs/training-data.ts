import { basename, join, relative, resolve } from 'node:path';
import type { DateOrder } from '../data/dates.ts';
import { readFeatureTables } from '../data/feature-tables.ts';
import { inspectTraining, type LabelledPhoto } from '../data/folder.ts';
import { type FoldRow, sessionOf } from '../data/folds/index.ts';
import { LABEL_COLUMNS, type Label, parseLabels } from '../data/labels.ts';
import type { OwnTable } from '../data/own-table/read.ts';
import { problemLine, throwOnError } from '../data/problems.ts';
import { readCsv } from '../formats/csv.ts';
import { countOf } from '../ground/counts.ts';
import { InputError, UsageError } from '../ground/errors.ts';
import { fileFingerprint, valueFingerprint } from '../ground/fingerprint.ts';
import { takeRows } from '../ground/matrix.ts';
import type { Progress } from '../ground/progress.ts';
import { completedTargets, isKnown, knownWhere, massWords } from '../pasture/partial.ts';
import { byMass, MASS_NAMES, type MassName, type Targets } from '../pasture/targets.ts';
import type { Recipe } from '../recipes/recipe-schema.ts';
import { PhotoReader, type UsedFeatureSet } from '../samples/photo-reader.ts';
import {
  featureRows,
  type SampleFacts,
  type SampleSource,
  TrainingSamples,
  unknownSample,
} from '../samples/samples.ts';
import { isObjectLocation } from '../storage/index.ts';
import { framedPhotos, framesLine, framingOf } from '../vision/framing/index.ts';
import { photoHash, photoName } from '../vision/photos/index.ts';
import {
  type CovariateSource,
  type KnownReadings,
  type ReadingTable,
  type RunCovariate,
  readTables,
  tableBeside,
  trainingReadings,
} from './covariates.ts';
import { type FoldPlan, planFolds } from './fold-plan.ts';
import { copyKeys, photoCopies } from './photo-copies.ts';
import { inspectTableWithDates } from './table-dates.ts';

/**
 * Where training data comes from: a data folder, a table of one's own with its photos, or features with their ids and
 * a table of labels.
 */
export type TrainingSource = (
  | {
      readonly kind: 'folder';
      readonly folder: string;
      /** Whether dates of numbers have the day or the month first; default what the column shows, or else the month. */
      readonly dates?: DateOrder | undefined;
    }
  | ({ readonly kind: 'table' } & Omit<OwnTable, 'areaSquareMetres'>)
  | {
      readonly kind: 'features';
      /** Feature files of the same photos, which `ids` names. */
      readonly features: readonly string[];
      readonly ids: string;
      readonly labels: string;
      readonly dates?: DateOrder | undefined;
    }
) & {
  /** Area of the frame that masses stand on, m²; default that of the competition's quadrat. */
  readonly areaSquareMetres?: number | undefined;
  /** Where a recipe's covariates come from besides the table of labels. */
  readonly covariates?: CovariateSource | undefined;
  /** The masses that are to be learnt, whatever else was measured; default all that were measured. */
  readonly learn?: readonly MassName[] | undefined;
};

/** Photos whose masses a model said. They are trained on in every fold and never validated on. */
export interface PseudoLabelled {
  readonly paths: readonly string[];
  /** What the students of each fold are told, grams. `[fold][photo]` */
  readonly byFold: readonly (readonly Targets[])[];
  /** How much each counts beside a measured photo, in (0, 1). */
  readonly weight: number;
}

/** Everything training needs, in one order: measured photos, then pseudo-labelled ones. */
export interface TrainingData {
  /** Of the measured photos. */
  readonly labels: readonly Label[];
  readonly rows: readonly FoldRow[];
  readonly samples: TrainingSamples;
  /** What a fold's model is told of all samples, grams. */
  readonly targetsFor: (fold: number) => readonly Targets[];
  /** What was measured beside the photos and the recipe reads. */
  readonly covariates: readonly RunCovariate[];
  /** What the columns of the features are. */
  readonly sets: readonly UsedFeatureSet[];
  /** Absolute path of each measured photo; null where there is none. */
  readonly photoPaths: readonly (string | null)[];
  /** Changes when a label or an input changes. */
  readonly fingerprint: string;
  /** What a person is told of the data: what is wrong and does not keep them from being used, and what was found. */
  readonly remarks: readonly string[];
}

/** Labels of the photos that have any, with what is told of the others. */
interface Labelled<Known = Label> {
  readonly labels: readonly Known[];
  readonly warnings: readonly string[];
}

async function readLabelled(source: TrainingSource): Promise<Labelled> {
  if (source.kind !== 'features') return inspectedPhotos(source);
  const { ids } = await readFeatureTables(source.features, source.ids);
  return learntOf(await joinLabels(source, ids), source);
}

/** Labels without the masses that are not to be learnt, as if these had not been measured. */
function learntOf<Known extends Label>(
  { labels, warnings }: Labelled<Known>,
  { learn }: Pick<TrainingSource, 'learn'>,
): Labelled<Known> {
  if (learn === undefined) return { labels, warnings };
  const wanted = completedTargets(byMass((mass) => (learn.includes(mass) ? 0 : Number.NaN)));
  const kept = labels
    .map((label) => ({ ...label, targets: knownWhere(label.targets, wanted) }))
    .filter(({ targets }) => MASS_NAMES.some((mass) => isKnown(targets, mass)));
  const without = labels.length - kept.length;
  const left = `${countOf(without, 'photo')} left out, of which no ${massWords(learn)} was measured`;
  return { labels: kept, warnings: without > 0 ? [...warnings, left] : warnings };
}

/** A source of photos. */
export type PhotoSource = Exclude<TrainingSource, { kind: 'features' }>;

async function inspectedPhotos(source: PhotoSource): Promise<Labelled<LabelledPhoto>> {
  const { photos, problems } =
    source.kind === 'folder'
      ? await inspectTraining(source.folder, source)
      : await inspectTableWithDates(source);
  throwOnError(source.kind === 'folder' ? source.folder : source.table, problems);
  return learntOf({ labels: photos, warnings: problems.map(problemLine) }, source);
}

/** The labelled photos of a data folder or of a table of one's own. @throws InputError naming the first bad row */
export async function readLabelledPhotos(source: PhotoSource): Promise<readonly LabelledPhoto[]> {
  return (await inspectedPhotos(source)).labels;
}

/** Folds of a source. @throws as {@link readTrainingData} */
export async function readFolds(source: TrainingSource, plan: FoldPlan): Promise<FoldRow[]> {
  if (source.kind === 'features') return planFolds((await readLabelled(source)).labels, plan);
  const photos = await readLabelledPhotos(source);
  return planFolds(photos, plan, copyKeys(await photoCopies(photos.map(({ path }) => path))));
}

/** The folder that a source's photos lie in; null where there are none. */
export function photoFolder(source: TrainingSource): string | null {
  if (source.kind === 'features') return null;
  return source.kind === 'folder' ? source.folder : source.photos;
}

/**
 * Reads labels, plans folds and finds what the recipe's inputs are; features are made when they are asked for.
 *
 * @throws InputError naming the file and row at fault
 * @throws UsageError when the recipe wants another kind of source, or folds cannot be made
 */
export async function readTrainingData(
  source: TrainingSource,
  recipe: Recipe,
  plan: FoldPlan,
  progress: Progress,
  pseudo?: PseudoLabelled,
): Promise<TrainingData> {
  const { labels, warnings } = await readLabelled(source);
  const further = pseudo?.paths ?? [];
  const inputs =
    source.kind === 'features'
      ? await featureInputs(source, recipe, labels)
      : await photoInputs(labels as readonly LabelledPhoto[], further, recipe, progress);
  const measuredPaths = inputs.paths?.slice(0, labels.length) ?? [];
  const rows = await planFolds(labels, plan, copyKeys(await photoCopies(measuredPaths, progress)));
  const known = await readingsOf(source, recipe, { labels, warnings }, inputs.paths);
  const facts = labels.map((label, item) => ({
    ...factsOf(label, rows[item] as FoldRow),
    readings: known.readings[item] ?? {},
  }));
  const pseudoFacts = further.map((_, photo) => ({
    ...unknownSample(`pseudo-labelled ${photo}`),
    weight: pseudo?.weight ?? 0,
  }));
  const targetsFor = (fold: number): Targets[] => [
    ...labels.map(({ targets }) => targets),
    ...(pseudo?.byFold[fold] ?? []),
  ];
  return {
    labels,
    rows,
    samples: new TrainingSamples([...facts, ...pseudoFacts], inputs.source, targetsFor(0)),
    targetsFor,
    covariates: known.covariates,
    sets: inputs.sets,
    photoPaths: labels.map((_, item) => inputs.paths?.[item] ?? null),
    fingerprint: valueFingerprint([
      measured(labels, recipe),
      ...inputs.fingerprints,
      ...(known.covariates.length > 0 ? [known.covariates, known.readings] : []),
    ]),
    remarks: [...warnings.map((warning) => `warning: ${warning}`), ...known.remarks],
  };
}

/** What the recipe's covariates read of labelled photos. @throws as {@link trainingReadings} */
async function readingsOf(
  source: TrainingSource,
  { covariates: names = [] }: Recipe,
  { labels, warnings }: Labelled,
  paths: readonly string[] | null,
): Promise<KnownReadings> {
  if (names.length === 0) return { covariates: [], readings: [], remarks: [] };
  const { table, method, pairs } = source.covariates ?? {};
  const folder = photoFolder(source);
  const beside = table === undefined && folder !== null ? tableBeside(folder) : null;
  const own: ReadingTable =
    source.kind === 'table'
      ? { path: source.table, sheet: source.sheet, columns: source.columns, decimal: source.decimal }
      : { path: source.kind === 'folder' ? join(source.folder, 'train.csv') : source.labels };
  const tables = [
    ...(table === undefined ? [] : [{ path: table, method }]),
    { ...own, method },
    ...(beside === null || beside === own.path ? [] : [{ path: beside, method, isFound: true }]),
  ];
  const photos = labels.map(({ imageId }, item) => paths?.[item] ?? imageId);
  const read = await readTables(tables, names, photos);
  const known = await trainingReadings(names, read.photos, { method, pairs });
  // What is told of a column as one of the table is not told again as one of readings.
  const news = read.remarks.filter((remark) => !warnings.some((warning) => remark.endsWith(warning)));
  return { ...known, remarks: [...news, ...known.remarks] };
}

function factsOf(label: Label, { group }: FoldRow): SampleFacts {
  const { imageId, state, species, ndvi, heightCentimetres, date } = label;
  return {
    id: imageId,
    session: sessionOf(label, group),
    group,
    measured: true,
    weight: 1,
    readings: {},
    state,
    species,
    ndvi,
    heightCentimetres,
    date,
  };
}

interface Inputs {
  readonly source: SampleSource;
  /** Of photos; null where there are features. */
  readonly paths: readonly string[] | null;
  readonly sets: readonly UsedFeatureSet[];
  readonly fingerprints: readonly unknown[];
}

async function featureInputs(
  { features, ids }: Extract<TrainingSource, { kind: 'features' }>,
  recipe: Recipe,
  labels: readonly Label[],
): Promise<Inputs> {
  if (recipe.input.kind !== 'features') {
    throw new UsageError(`recipe ${recipe.name} reads photos; give a data folder instead of --features`);
  }
  if (recipe.crop) throw new UsageError('crop is for photos; make the features with --crop');
  const read = await readFeatureTables(features, ids);
  const { matrix } = read;
  const labelled = new Set(labels.map(({ imageId }) => imageId));
  const rows = read.ids.flatMap((id, row) => (labelled.has(id) ? [row] : []));
  return {
    source: featureRows(rows.length < matrix.rows ? takeRows(matrix, rows) : matrix),
    paths: null,
    sets: (matrix.sets ?? []).map(({ name, columns }) => ({ name, columns, weights: null })),
    fingerprints: await Promise.all(features.map(fileFingerprint)),
  };
}

async function photoInputs(
  labels: readonly LabelledPhoto[],
  further: readonly string[],
  recipe: Recipe,
  progress: Progress,
): Promise<Inputs> {
  if (recipe.input.kind === 'features') {
    throw new UsageError(
      `recipe ${recipe.name} reads features; give --features, --ids and --labels, or --set backbone=NAME`,
    );
  }
  const paths = [...labels.map(({ path }) => path), ...further];
  const reader = new PhotoReader(recipe.input);
  // Weights that are missing are met before photos are read.
  const sets = await reader.sets();
  const photos = await framedPhotos(paths, recipe.crop ?? null, { progress });
  const line =
    recipe.crop &&
    framesLine(photos.map((photo) => ({ name: basename(photoName(photo)), framing: framingOf(photo) })));
  if (line) progress.line?.(`warning: ${line}`);
  return {
    source: reader.source(photos, { progress }),
    paths,
    sets,
    fingerprints: [await photoHashes(paths)],
  };
}

/** Photos that are read at once to hash them: enough to keep a disk busy. */
const HASHED_AT_ONCE = 4;

async function photoHashes(paths: readonly string[]): Promise<string[]> {
  const hashes: string[] = [];
  for (let start = 0; start < paths.length; start += HASHED_AT_ONCE) {
    hashes.push(...(await Promise.all(paths.slice(start, start + HASHED_AT_ONCE).map(photoHash))));
  }
  return hashes;
}

/** What labels say, wherever their file and photos lie; readings count where they are predicted or a teacher sees them. */
function measured(labels: readonly Label[], { estimator }: Recipe): unknown {
  const learners =
    estimator.kind === 'stack' ? estimator.members.map((member) => member.estimator) : [estimator];
  const read = learners.some(
    (learner) =>
      learner.kind === 'network' &&
      (learner.teacher !== undefined || learner.auxiliary.ndvi > 0 || learner.auxiliary.height > 0),
  );
  return labels.map(({ imageId, targets, date, state, species, ndvi, heightCentimetres }) => [
    imageId,
    targets,
    date,
    state,
    species,
    ...(read ? [ndvi, heightCentimetres] : []),
  ]);
}

/** A source whose paths are others, without the frame's area, which a run remembers elsewhere. */
export function movedSource(source: TrainingSource, moved: (path: string) => string): TrainingSource {
  const { areaSquareMetres: _, covariates, ...own } = source;
  const rest = { ...own, ...(covariates && { covariates: movedCovariates(covariates, moved) }) };
  if (rest.kind === 'folder') return { ...rest, folder: moved(rest.folder) };
  if (rest.kind === 'table') return { ...rest, table: moved(rest.table), photos: moved(rest.photos) };
  return { ...rest, features: rest.features.map(moved), ids: moved(rest.ids), labels: moved(rest.labels) };
}

function movedCovariates(
  { table, pairs, ...rest }: CovariateSource,
  moved: (path: string) => string,
): CovariateSource {
  return {
    ...rest,
    ...(table !== undefined && { table: moved(table) }),
    ...(pairs !== undefined && { pairs: moved(pairs) }),
  };
}

/** A source as a run folder remembers it: paths relative to the run, so that both may move together. */
export function relativeSource(source: TrainingSource, runFolder: string): TrainingSource {
  return movedSource(source, (path) => pathFrom(runFolder, path));
}

/** A path as a run folder remembers it: relative to the run, so that both may move together; of a bucket as it is. */
export function pathFrom(folder: string, path: string): string {
  if (isObjectLocation(path)) return path;
  return relative(resolve(folder), resolve(path)).replaceAll('\\', '/');
}

async function joinLabels(
  source: Extract<TrainingSource, { kind: 'features' }>,
  ids: readonly string[],
): Promise<Labelled> {
  const { labels, problems, unmeasured } = parseLabels(
    await readCsv(source.labels, LABEL_COLUMNS),
    source.labels,
    source,
  );
  throwOnError('labels', problems);
  const byId = new Map(labels.map((label) => [label.imageId, label]));
  const joined = ids.flatMap((id, index) => {
    const label = byId.get(id);
    if (label) return [label];
    if (unmeasured.includes(id)) return [];
    throw new InputError(
      `${source.ids} row ${index + 1}`,
      `${id} has no label in ${source.labels}`,
      'give the labels of all photos in the id list',
    );
  });
  return { labels: joined, warnings: problems.map(problemLine) };
}
