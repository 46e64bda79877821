import { relative, resolve } from 'node:path';
import { readCsv } from '../data/csv.ts';
import { type Matrix, readFeatureTable } from '../data/features.ts';
import { readTraining } from '../data/folder.ts';
import { LABEL_COLUMNS, type Label, parseLabels } from '../data/labels.ts';
import { throwOnError } from '../data/problems.ts';
import { InputError, UsageError } from '../ground/errors.ts';
import { fileFingerprint, valueFingerprint } from '../ground/fingerprint.ts';
import type { Progress } from '../ground/progress.ts';
import type { Recipe } from '../models/recipe.ts';
import { photoInputs, type UsedWeights } from './photo-inputs.ts';

/** Where training data comes from: a data folder, or features with their ids and a table of labels. */
export type TrainingSource =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'features'; readonly features: string; readonly ids: string; readonly labels: string };

/** Everything training needs, in one order. */
export interface TrainingData {
  readonly labels: readonly Label[];
  readonly inputs: Matrix;
  /** The backbone weights that made the inputs; null where there are none. */
  readonly weights: UsedWeights | null;
  /** Absolute path of each photo; null where there is none. */
  readonly photoPaths: readonly (string | null)[];
  /** Changes when a label or an input changes. */
  readonly fingerprint: string;
}

/** Labels alone, for making folds. */
export async function readLabels(source: TrainingSource): Promise<readonly Label[]> {
  if (source.kind === 'folder') return readTraining(source.folder);
  const { ids } = await readFeatureTable(source.features, source.ids);
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
    if (recipe.input.kind !== 'features') {
      throw new UsageError(`recipe ${recipe.name} reads photos; give a data folder instead of --features`);
    }
    const { matrix } = await readFeatureTable(source.features, source.ids);
    return {
      labels,
      inputs: matrix,
      weights: null,
      photoPaths: labels.map(() => null),
      fingerprint: valueFingerprint([labels.map(measured), await fileFingerprint(source.features)]),
    };
  }
  if (recipe.input.kind === 'features') {
    throw new UsageError(
      `recipe ${recipe.name} reads features; give --features, --ids and --labels, or --set backbone=NAME`,
    );
  }
  const paths = (labels as Awaited<ReturnType<typeof readTraining>>).map((photo) => photo.path);
  const allPaths = [...paths, ...furtherPaths];
  const { matrix, weights } = await photoInputs(allPaths, recipe.input, { progress });
  return {
    labels,
    inputs: matrix,
    weights,
    photoPaths: paths,
    fingerprint: valueFingerprint([labels.map(measured), await Promise.all(allPaths.map(fileFingerprint))]),
  };
}

/** What a label says, wherever its file and photo lie. */
function measured({ imageId, targets, date, state, species }: Label): unknown {
  return [imageId, targets, date, state, species];
}

/** A source as a run folder remembers it: paths relative to the run, so that both may move together. */
export function relativeSource(source: TrainingSource, runFolder: string): TrainingSource {
  const from = (path: string): string => relative(resolve(runFolder), resolve(path)).replaceAll('\\', '/');
  return source.kind === 'folder'
    ? { kind: 'folder', folder: from(source.folder) }
    : {
        kind: 'features',
        features: from(source.features),
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
