import { existsSync } from 'node:fs';
import { BUNDLED_RUNS, bundledRunFolder } from '../../runs/bundled-runs.ts';
import { type AboutRun, readTrainedManifest } from '../../runs/manifest.ts';

/** A run that comes with sward. */
export interface BundledModel {
  /** By which commands and `openRun` know it. */
  readonly name: string;
  readonly folder: string;
  readonly recipe: string;
  /** Photos it was trained on. */
  readonly photos: number;
  readonly about: AboutRun;
}

/**
 * The runs that come with sward.
 *
 * @throws InputError when one is damaged
 */
export async function listModels(): Promise<BundledModel[]> {
  const models: BundledModel[] = [];
  for (const name of BUNDLED_RUNS) {
    const folder = bundledRunFolder(name);
    if (!existsSync(folder)) continue;
    const { recipe, data, about } = await readTrainedManifest(folder);
    if (about) models.push({ name, folder, recipe: recipe.name, photos: data.images, about });
  }
  return models;
}
