import { join } from 'node:path';
import { UsageError } from '../ground/errors.ts';
import { type Progress, SILENT } from '../ground/progress.ts';
import type { FittedModel } from '../learning/estimator.ts';
import { hasMaps, type MapPredictor, type MassMap } from '../networks/network/maps.ts';
import { predictsFromPhotos } from '../recipes/learns-from-photos.ts';
import { readFoldModels } from '../runs/fold-models.ts';
import type { PhotoPrediction } from '../runs/photo-prediction.ts';
import { isEnsemble, type RunManifest, readCompleteManifest } from '../runs/run-folder.ts';
import { photoInputs } from '../samples/photo-inputs.ts';
import type { RecipeInputs } from '../samples/recipe-inputs.ts';
import { writeBiomassMap } from '../vision/biomass-map/index.ts';

/** Photos whose patch tokens are in memory at once. */
const PHOTOS_AT_ONCE = 16;

export interface MapOptions {
  /** Area of the frame, for kg DM/ha. */
  readonly areaSquareMetres: number;
  readonly progress?: Progress;
}

/**
 * Refuses a run that cannot say where in a photo the mass is, before any work is done.
 *
 * @throws UsageError naming the recipe that can
 * @throws InputError when the run is unfinished
 */
export async function requireMaps(run: string): Promise<void> {
  if (!(await isEnsemble(run))) {
    const { recipe } = await readCompleteManifest(run);
    const { estimator } = recipe;
    if (estimator.kind === 'network' && estimator.architecture.kind === 'density') return;
  }
  throw new UsageError(`--map: ${run} has no maps to draw; train --recipe density`);
}

/**
 * Draws where the biomass of each photo is, the mean over the run's fold models of the photo as it lies: `DIR/<image
 * id>.png` with a table of every patch beside it (see `writeBiomassMap`).
 *
 * @param photos predicted from photos that are still there
 * @throws as {@link requireMaps} and `predictPhotos`
 */
export async function writePhotoMaps(
  run: string,
  photos: readonly PhotoPrediction[],
  folder: string,
  { areaSquareMetres, progress = SILENT }: MapOptions,
): Promise<void> {
  await requireMaps(run);
  const manifest = await readCompleteManifest(run);
  const placed = photos.flatMap(({ imageId, path }) => (path === null ? [] : [{ imageId, path }]));
  const models = (await readFoldModels(run, manifest)).filter(hasMaps);
  for (let start = 0; start < placed.length; start += PHOTOS_AT_ONCE) {
    const some = placed.slice(start, start + PHOTOS_AT_ONCE);
    const inputs = await mapInputs(
      manifest,
      some.map(({ path }) => path),
    );
    const maps = await meanMaps(models, inputs);
    progress.stage('Drawing maps', placed.length, 'photos');
    progress.advance(start);
    for (const [index, { imageId, path }] of some.entries()) {
      const map = maps[index];
      if (!map) throw new RangeError(`no map of ${imageId}`);
      await writeBiomassMap({ photoPath: path, map, areaSquareMetres, out: join(folder, `${imageId}.png`) });
      progress.advance();
    }
  }
  progress.done();
}

async function mapInputs({ recipe, data }: RunManifest, paths: readonly string[]): Promise<RecipeInputs> {
  if (predictsFromPhotos(recipe)) return { paths };
  return (await photoInputs(paths, recipe.input, { trainedOn: data.sets })).matrix;
}

/** One model is open at a time. */
async function meanMaps(
  models: readonly (FittedModel<RecipeInputs> & MapPredictor<RecipeInputs>)[],
  inputs: RecipeInputs,
): Promise<MassMap[]> {
  let means: MassMap[] = [];
  for (const model of models) {
    const maps = await model.predictMaps(inputs);
    await model.close?.();
    means = maps.map((map, photo) => {
      const sum = means[photo]?.grams;
      const share = (grams: number, at: number): number => (sum?.[at] ?? 0) + grams / models.length;
      return { ...map, grams: Float32Array.from(map.grams, share) };
    });
  }
  return means;
}
