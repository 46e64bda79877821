import { existsSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { readTest, readTraining } from '../../data/folder.ts';
import { writeNpyFloat32 } from '../../formats/npy/npy.ts';
import { InputError } from '../../ground/errors.ts';
import { writeFileAtomically } from '../../ground/files.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import { extractFeatures, type FeaturePlan } from '../../vision/features/index.ts';
import { listPhotos } from '../../vision/photos/index.ts';
import { resolveWeights } from '../../vision/weights/index.ts';

/** Photos of a data folder whose features are wanted. */
export type FeatureSplit = 'train' | 'test';

export interface FeatureFilesOptions {
  /** A data folder, or a folder of photos, or one photo. */
  readonly data: string;
  /** Catalogue name, hub repository or file of the backbone. */
  readonly backbone: string;
  readonly plan: FeaturePlan;
  /** `.npy` to write. */
  readonly out: string;
  /** List of photo ids to write, one a row. */
  readonly ids: string;
  /** Which photos of a data folder; default train. */
  readonly split?: FeatureSplit;
  readonly progress?: Progress;
}

/**
 * Writes features of photos as float32 `.npy` [photos, width] and the list of their ids.
 *
 * @returns how many photos, of which width, and how many were computed anew
 * @throws InputError for data, photos or weights that cannot be used
 * @throws UsageError when plan and backbone do not suit each other
 */
export async function writeFeatureFiles(
  options: FeatureFilesOptions,
): Promise<{ photos: number; width: number; computed: number }> {
  const photos = await photosOf(options.data, options.split ?? 'train');
  const weights = await resolveWeights(options.backbone);
  const features = await extractFeatures(
    photos.map((photo) => photo.path),
    weights,
    options.plan,
    { progress: options.progress ?? SILENT },
  );
  await writeNpyFloat32(options.out, features);
  await writeFileAtomically(options.ids, photos.map(({ imageId }) => `${imageId}\n`).join(''));
  return { photos: features.rows, width: features.columns, computed: features.computed };
}

async function photosOf(data: string, split: FeatureSplit): Promise<{ imageId: string; path: string }[]> {
  if (existsSync(join(data, `${split}.csv`))) {
    return split === 'train' ? readTraining(data) : [...(await readTest(data)).photos];
  }
  const paths = await listPhotos(data);
  if (paths.length === 0)
    throw new InputError(data, `has no ${split}.csv and no photo`, 'name a data folder or photos');
  return paths.map((path) => ({ imageId: basename(path, extname(path)), path }));
}
