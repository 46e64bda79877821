import { join } from 'node:path';
import { type Progress, SILENT } from '../../ground/progress.ts';
import type { PhotoPrediction } from '../../runs/prediction.ts';
import type { Run } from '../../runs/run.ts';
import { photoSamples } from '../../samples/samples.ts';
import { writeBiomassMap } from '../../vision/biomass-map/index.ts';

/** Photos whose patch tokens are in memory at once. */
const PHOTOS_AT_ONCE = 16;

export interface MapOptions {
  /** Area of the frame, for kg DM/ha. */
  readonly areaSquareMetres: number;
  readonly progress?: Progress;
}

/**
 * Draws where the biomass of each photo is, the mean over the run's fold models of the photo as it lies: `DIR/<image
 * id>.png` with a table of every patch beside it (see `writeBiomassMap`).
 *
 * @param photos predicted from photos that are still there
 * @throws UsageError when the run has no maps
 */
export async function writePhotoMaps(
  run: Run,
  photos: readonly PhotoPrediction[],
  folder: string,
  { areaSquareMetres, progress = SILENT }: MapOptions,
): Promise<void> {
  const placed = photos.flatMap(({ imageId, path }) => (path === null ? [] : [{ imageId, path }]));
  for (let start = 0; start < placed.length; start += PHOTOS_AT_ONCE) {
    const some = placed.slice(start, start + PHOTOS_AT_ONCE);
    const maps = await run.maps(photoSamples(some));
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
