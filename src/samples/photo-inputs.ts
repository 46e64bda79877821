import { SwardError, UsageError } from '../ground/errors.ts';
import { type FeatureSet, joinFeatureSets, type Matrix, takeRows } from '../ground/matrix.ts';
import { type Progress, SILENT } from '../ground/progress.ts';
import { computeDescriptors } from '../vision/descriptors/index.ts';
import { extractFeatures, featurePlan } from '../vision/features/index.ts';
import { resolveTrainedWeights } from '../vision/weights/index.ts';
import type { InputSettings } from './input-settings.ts';

/** Which weights made a matrix, by content. */
export interface UsedWeights {
  readonly source: string;
  readonly sha256: string;
}

/** A feature set of a run, with the weights that made it; null where there are none. */
export interface UsedFeatureSet extends FeatureSet {
  readonly weights: UsedWeights | null;
}

/** Inputs of an estimator made from photos. */
export interface PhotoInputs {
  /** The feature sets of the recipe's inputs side by side. */
  readonly matrix: Matrix;
  readonly sets: readonly UsedFeatureSet[];
  /** Which of the photos given could not be used and have no row; empty unless `onUnusable` was given. */
  readonly unusable: ReadonlySet<number>;
}

export interface PhotoInputOptions {
  readonly progress?: Progress;
  /** How views are turned, 0 to 7; descriptors are the same whatever the turn. */
  readonly turn?: number;
  /** The sets the run was trained on, whose weights must be used. */
  readonly trainedOn?: readonly UsedFeatureSet[];
  /** Told of each photo that cannot be used, in order; without it the first one is an error. */
  readonly onUnusable?: (error: SwardError) => void;
}

/** What one photo-reading input of a recipe is. */
type PhotoInput = Exclude<InputSettings, { kind: 'features' | 'several' }>;

/** What one input makes of photos: a row each, all NaN for those that failed. */
interface SetInputs {
  readonly name: string;
  readonly matrix: Matrix;
  readonly weights: UsedWeights | null;
}

/**
 * What a recipe's estimator sees of photos: descriptors, features of a backbone, or several of these side by side.
 *
 * @returns one row a usable photo, in the order given
 * @throws SwardError when no photo can be used
 * @throws InputError for a photo or weights that cannot be used, or weights other than those asked for
 * @throws UsageError when the recipe reads a feature file
 */
export async function photoInputs(
  paths: readonly string[],
  input: InputSettings,
  options: PhotoInputOptions = {},
): Promise<PhotoInputs> {
  if (input.kind === 'features') throw new UsageError('the recipe reads features, not photos');
  const failures = new Map<string, SwardError>();
  const parts: SetInputs[] = [];
  for (const [index, one] of (input.kind === 'several' ? input.sets : [input]).entries()) {
    parts.push(await setInputs(paths, one, options.trainedOn?.[index]?.weights ?? null, failures, options));
  }
  const joined = joinFeatureSets(parts);
  const sets = parts.map(({ weights, matrix }, index) => ({
    name: joined.sets?.[index]?.name ?? '',
    columns: matrix.columns,
    weights,
  }));
  return { ...usableRows(paths, joined, failures, options), sets };
}

async function setInputs(
  paths: readonly string[],
  input: PhotoInput,
  trainedWith: UsedWeights | null,
  failures: Map<string, SwardError>,
  options: PhotoInputOptions,
): Promise<SetInputs> {
  const progress = options.progress ?? SILENT;
  const failing = options.onUnusable && {
    onError: (path: string, error: SwardError) => failures.set(path, error),
  };
  if (input.kind === 'descriptors') {
    const matrix = await computeDescriptors(paths, { progress, ...failing });
    return { name: input.kind, matrix, weights: null };
  }
  const { kind: _, backbone, ...plan } = input;
  const weights = await resolveTrainedWeights(backbone, trainedWith?.sha256);
  const matrix = await extractFeatures(paths, weights, featurePlan(plan), {
    progress,
    turn: options.turn ?? 0,
    ...failing,
  });
  return { name: backbone, matrix, weights: { source: weights.source, sha256: weights.sha256 } };
}

/** The rows of the photos that did not fail; who asked is told of the others. */
function usableRows(
  paths: readonly string[],
  matrix: Matrix,
  failures: ReadonlyMap<string, SwardError>,
  { onUnusable }: PhotoInputOptions,
): Pick<PhotoInputs, 'matrix' | 'unusable'> {
  const unusable = new Set<number>();
  paths.forEach((path, index) => {
    const error = failures.get(path);
    if (!error) return;
    unusable.add(index);
    onUnusable?.(error);
  });
  if (unusable.size > 0 && unusable.size === paths.length) {
    throw new SwardError(`none of the ${paths.length} photos can be used`);
  }
  const usable = paths.map((_, index) => index).filter((index) => !unusable.has(index));
  return { matrix: unusable.size > 0 ? takeRows(matrix, usable) : matrix, unusable };
}
