import { relative, resolve } from 'node:path';
import { readCsv } from '../formats/csv.ts';
import { readFeatureTables } from '../data/feature-tables.ts';
import { readTraining } from '../data/folder.ts';
import { LABEL_COLUMNS, type Label, parseLabels } from '../data/labels.ts';
import { throwOnError } from '../data/problems.ts';
import { InputError, UsageError } from '../ground/errors.ts';
import { fileFingerprint, valueFingerprint } from '../ground/fingerprint.ts';
import type { Progress } from '../ground/progress.ts';
import { learnsFromPhotos, needsFrozenFeatures } from '../recipes/learns-from-photos.ts';
import { photoEstimatorInputs } from '../recipes/photo-estimator.ts';
import type { Recipe } from '../recipes/recipe.ts';
import type { RecipeInputs } from '../samples/recipe-inputs.ts';
import { photoInputs, type UsedFeatureSet } from '../samples/photo-inputs.ts';

/** Where training data comes from: a data folder, or features with their ids and a table of labels. */
export type TrainingSource =
  | { readonly kind: 'folder'; readonly folder: string }
  | {
      readonly kind: 'features';
      /** Feature files of the same photos, which `ids` names. */
      readonly features: readonly string[];
      readonly ids: string;
      readonly labels: string;
    };

/** Everything training needs, in one order. */
export interface TrainingData {
  readonly labels: readonly Label[];
  readonly inputs: RecipeInputs;
  /** What the columns of the inputs are. */
  readonly sets: readonly UsedFeatureSet[];
  /** Absolute path of each photo; null where there is none. */
  readonly photoPaths: readonly (string | null)[];
  /** Changes when a label or an input changes. */
  readonly fingerprint: string;
}

/** Labels alone, for making folds. */
export async function readLabels(source: TrainingSource): Promise<readonly Label[]> {
  if (source.kind === 'folder') return readTraining(source.folder);
  const { ids } = await readFeatureTables(source.features, source.ids);
  return joinLabels(source, ids);
}

/**
 * Reads labels and makes inputs as the recipe asks.
 *
 * @param furtherPaths photos without labels whose inputs follow those of the labelled ones
 * @throws InputError naming the file and row at fault
 * @throws UsageError when the recipe wants another kind of source
 */
export async function readTrainingData(
  source: TrainingSource,
  recipe: Recipe,
  progress: Progress,
  furtherPaths: readonly string[] = [],
): Promise<TrainingData> {
  const labels = await readLabels(source);
  if (source.kind === 'features') {
    if (learnsFromPhotos(recipe)) await photoEstimatorInputs(recipe);
    if (recipe.input.kind !== 'features') {
      throw new UsageError(`recipe ${recipe.name} reads photos; give a data folder instead of --features`);
    }
    const { matrix } = await readFeatureTables(source.features, source.ids);
    return {
      labels,
      inputs: matrix,
      sets: (matrix.sets ?? []).map((set) => ({ ...set, weights: null })),
      photoPaths: labels.map(() => null),
      fingerprint: valueFingerprint([
        measured(labels, recipe),
        ...(await Promise.all(source.features.map(fileFingerprint))),
      ]),
    };
  }
  if (recipe.input.kind === 'features') {
    throw new UsageError(
      `recipe ${recipe.name} reads features; give --features, --ids and --labels, or --set backbone=NAME`,
    );
  }
  const paths = (labels as Awaited<ReturnType<typeof readTraining>>).map((photo) => photo.path);
  const allPaths = [...paths, ...furtherPaths];
  return {
    labels,
    ...(await madeInputs(allPaths, recipe, progress)),
    photoPaths: paths,
    fingerprint: valueFingerprint([
      measured(labels, recipe),
      await Promise.all(allPaths.map(fileFingerprint)),
    ]),
  };
}

/** Photos as they are where the estimator looks at them itself, else what the recipe makes of them. */
async function madeInputs(
  paths: readonly string[],
  recipe: Recipe,
  progress: Progress,
): Promise<Pick<TrainingData, 'inputs' | 'sets'>> {
  if (learnsFromPhotos(recipe)) {
    const sets = [await photoEstimatorInputs(recipe)];
    // Made here they are remembered, and somebody sees how far they are.
    if (needsFrozenFeatures(recipe)) await photoInputs(paths, recipe.input, { progress });
    return { inputs: { paths }, sets };
  }
  const { matrix, sets } = await photoInputs(paths, recipe.input, { progress });
  return { inputs: matrix, sets };
}

/** What labels say, wherever their file and photos lie; readings count where they are learnt or a teacher sees them. */
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

/** A source as a run folder remembers it: paths relative to the run, so that both may move together. */
export function relativeSource(source: TrainingSource, runFolder: string): TrainingSource {
  const from = (path: string): string => relative(resolve(runFolder), resolve(path)).replaceAll('\\', '/');
  return source.kind === 'folder'
    ? { kind: 'folder', folder: from(source.folder) }
    : {
        kind: 'features',
        features: source.features.map(from),
        ids: from(source.ids),
        labels: from(source.labels),
      };
}

async function joinLabels(
  source: Extract<TrainingSource, { kind: 'features' }>,
  ids: readonly string[],
): Promise<Label[]> {
  const { labels, problems } = parseLabels(await readCsv(source.labels, LABEL_COLUMNS), source.labels);
  throwOnError('labels', problems);
  const byId = new Map(labels.map((label) => [label.imageId, label]));
  return ids.map((id, index) => {
    const label = byId.get(id);
    if (label) return label;
    throw new InputError(
      `${source.ids} row ${index + 1}`,
      `${id} has no label in ${source.labels}`,
      'give the labels of all photos in the id list',
    );
  });
}
