import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configure } from '../../src/ground/environment.ts';
import { makeBackbone } from '../../src/vision/backbones/index.ts';
import { trainRun } from '../../src/workflows/train/train.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { resolveRecipe } from '../support/written-settings.ts';
import { noisyWeights, writeWeights } from '../vision/backbones/tiny.ts';

/** A data folder and a tiny backbone of random weights in `root`; runs are trained beside them. */
export interface SmallRuns {
  readonly data: string;
  readonly backbone: string;
  /** Trains two folds into `root/name`. @returns the run */
  train(name: string, recipe: string, ...changes: string[]): Promise<string>;
}

/** Makes them. Features are remembered with those of other tests, whatever the environment says. */
export async function smallRuns(root: string): Promise<SmallRuns> {
  configure({ cacheFolder: sharedCache() });
  const data = join(root, 'data');
  const backbone = join(root, 'model.safetensors');
  await writeSmallFolder(data);
  const config = { dim: 24, depth: 3, heads: 3, imgSize: [42, 42] };
  await writeWeights(backbone, noisyWeights(makeBackbone('dinov2', config)));
  writeFileSync(
    join(root, 'model.json'),
    JSON.stringify({ arch: 'dinov2', config, preprocessing: { inputSize: [42, 42] } }),
  );
  return {
    data,
    backbone,
    async train(name, recipe, ...changes) {
      const out = join(root, name);
      await trainRun({
        source: { kind: 'folder', folder: data },
        recipe: await resolveRecipe(recipe, [
          `backbone=${backbone}`,
          'evaluation.leaveOneStateOut=false',
          ...changes,
        ]),
        out,
        plan: { folds: 2 },
      });
      return out;
    },
  };
}
