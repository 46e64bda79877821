import type { Matrix } from '../data/features.ts';
import { InputError, UsageError } from '../ground/errors.ts';
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
}

export interface PhotoInputOptions {
  readonly progress?: Progress;
  /** How views are turned, 0 to 7; descriptors are the same whatever the turn. */
  readonly turn?: number;
  /** Weights that must be used: those the run was trained with. */
  readonly weights?: UsedWeights | null;
}

/**
 * What a recipe's estimator sees of photos: descriptors, or features of a backbone.
 *
 * @returns one row a photo, in the order given
 * @throws InputError for a photo or weights that cannot be used, or weights other than those asked for
 * @throws UsageError when the recipe reads a feature file
 */
export async function photoInputs(
  paths: readonly string[],
  input: Recipe['input'],
  options: PhotoInputOptions = {},
): Promise<PhotoInputs> {
  const progress = options.progress ?? SILENT;
  if (input.kind === 'features') throw new UsageError('the recipe reads features, not photos');
  if (input.kind === 'descriptors') {
    const table = await computeDescriptors(paths, { progress });
    return { matrix: { rows: table.rows, columns: table.columns, data: table.data }, weights: null };
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
  });
  return {
    matrix: { rows: features.rows, columns: features.columns, data: features.data },
    weights: { source: weights.source, sha256: weights.sha256 },
  };
}
