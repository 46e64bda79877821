import { type Matrix, takeRows } from '../data/features.ts';
import { InputError, SwardError, UsageError } from '../ground/errors.ts';
import { type Progress, SILENT } from '../ground/progress.ts';
import type { Recipe } from '../models/recipe.ts';
import { computeDescriptors } from '../vision/descriptors/index.ts';
import { extractFeatures, featurePlan } from '../vision/features/index.ts';
import { resolveWeights } from '../vision/weights/index.ts';

/** Which weights made a matrix, by content. */
export interface UsedWeights {
  readonly source: string;
  readonly sha256: string;
}

/** Inputs of an estimator made from photos. */
export interface PhotoInputs {
  readonly matrix: Matrix;
  readonly weights: UsedWeights | null;
  /** Which of the photos given could not be used and have no row; empty unless `onUnusable` was given. */
  readonly unusable: ReadonlySet<number>;
}

export interface PhotoInputOptions {
  readonly progress?: Progress;
  /** How views are turned, 0 to 7; descriptors are the same whatever the turn. */
  readonly turn?: number;
  /** Weights that must be used: those the run was trained with. */
  readonly weights?: UsedWeights | null;
  /** Told of each photo that cannot be used, in order; without it the first one is an error. */
  readonly onUnusable?: (error: SwardError) => void;
}

/**
 * What a recipe's estimator sees of photos: descriptors, or features of a backbone.
 *
 * @returns one row a usable photo, in the order given
 * @throws SwardError when no photo can be used
 * @throws InputError for a photo or weights that cannot be used, or weights other than those asked for
 * @throws UsageError when the recipe reads a feature file
 */
export async function photoInputs(
  paths: readonly string[],
  input: Recipe['input'],
  options: PhotoInputOptions = {},
): Promise<PhotoInputs> {
  const progress = options.progress ?? SILENT;
  const failures = new Map<string, SwardError>();
  const failing = options.onUnusable && {
    onError: (path: string, error: SwardError) => failures.set(path, error),
  };
  if (input.kind === 'features') throw new UsageError('the recipe reads features, not photos');
  if (input.kind === 'descriptors') {
    const table = await computeDescriptors(paths, { progress, ...failing });
    return { ...usableRows(paths, table, failures, options), weights: null };
  }
  const { kind: _, backbone, ...plan } = input;
  const weights = await resolveWeights(backbone);
  if (options.weights && options.weights.sha256 !== weights.sha256) {
    throw new InputError(
      weights.path,
      `is not the file the run was trained with (SHA-256 ${options.weights.sha256.slice(0, 12)}…)`,
      'put that file back, or train the run again',
    );
  }
  const features = await extractFeatures(paths, weights, featurePlan(plan), {
    progress,
    turn: options.turn ?? 0,
    ...failing,
  });
  return {
    ...usableRows(paths, features, failures, options),
    weights: { source: weights.source, sha256: weights.sha256 },
  };
}

/** The rows of the photos that did not fail; who asked is told of the others. */
function usableRows(
  paths: readonly string[],
  { rows, columns, data }: Matrix,
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
  const matrix = { rows, columns, data };
  return { matrix: unusable.size > 0 ? takeRows(matrix, usable) : matrix, unusable };
}
