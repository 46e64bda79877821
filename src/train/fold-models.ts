import type { Matrix } from '../data/features.ts';
import { UsageError } from '../ground/errors.ts';
import { randomStream } from '../ground/random.ts';
import type { FittedModel } from '../models/estimator.ts';
import { matrixEstimator } from '../models/registry.ts';
import type { Targets } from '../pasture/targets.ts';
import { pooledSpread, type Spread, spreadOf } from './photo-prediction.ts';
import { foldFolder, type RunManifest } from './run-folder.ts';

/** The fold models of a run, in order. @throws InputError when one cannot be read */
export async function readFoldModels(run: string, manifest: RunManifest): Promise<FittedModel<Matrix>[]> {
  const estimator = matrixEstimator(manifest.recipe.estimator);
  const models: FittedModel<Matrix>[] = [];
  for (let fold = 0; fold < manifest.folds.count; fold++) {
    models.push(await estimator.read(foldFolder(run, fold)));
  }
  return models;
}

/** What each model says of each photo, grams. `[fold][photo]` */
export async function predictEachFold(
  models: readonly FittedModel<Matrix>[],
  inputs: Matrix,
): Promise<Targets[][]> {
  const folds: Targets[][] = [];
  for (const model of models) folds.push(await model.predict(inputs));
  return folds;
}

/**
 * Spread of each photo's masses with dropout left on (Gal & Ghahramani 2016): the standard deviation of
 * `samples` predictions of each fold model, the models' variances averaged, so that what the models differ in
 * stays out.
 *
 * @throws UsageError when the models have no dropout
 */
export async function dropoutSpreads(
  models: readonly FittedModel<Matrix>[],
  inputs: Matrix,
  samples: number,
  seed: number,
): Promise<Spread[]> {
  const byFold: Spread[][] = [];
  for (const [fold, model] of models.entries()) {
    if (!model.predictSamples) throw new UsageError('--mc-dropout: the run has a recipe without dropout');
    const random = randomStream(seed).fork('dropout').fork(fold);
    const drawn = await model.predictSamples(inputs, samples, random);
    byFold.push(
      Array.from({ length: inputs.rows }, (_, photo) =>
        spreadOf(drawn.map((sample) => sample[photo] as Targets)),
      ),
    );
  }
  return Array.from({ length: inputs.rows }, (_, photo) =>
    pooledSpread(byFold.map((spreads) => spreads[photo] as Spread)),
  );
}
