import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Progress, SILENT } from '../../ground/progress.ts';
import type { Run } from '../../runs/run.ts';
import type { SampleFacts, Samples } from '../../samples/samples.ts';
import { writeBiomassMap } from '../../vision/biomass-map/index.ts';
import { type Crop, framedPhotos } from '../../vision/framing/index.ts';
import { notOurs, requireOwnOutput } from '../outputs/own-outputs.ts';

/** Photos whose patch tokens are in memory at once. */
const PHOTOS_AT_ONCE = 16;

export interface MapOptions {
  /** Area of the frame that grams are said on. */
  readonly areaSquareMetres: number;
  /** How many times the frame of the run's training data it is. */
  readonly scale: number;
  /** What of each photo counts, null all of it. */
  readonly crop: Crop | null;
  readonly progress?: Progress;
}

/** Photos by their ids. */
export interface NamedPhotos {
  readonly facts: Iterable<Pick<SampleFacts, 'id'>>;
}

/** @throws UsageError for files in the folder that {@link writePhotoMaps} would take the place of */
export async function requireOwnMaps({ facts }: NamedPhotos, folder: string): Promise<void> {
  for (const { id } of facts) {
    const [picture, table] = [join(folder, `${id}.png`), join(folder, `${id}.csv`)];
    await requireOwnOutput('--map', table, 'patches');
    // A map never is without its table.
    if (existsSync(picture) && !existsSync(table)) throw notOurs('--map', picture);
  }
}

/**
 * Draws where the biomass of each photo is, the mean over the run's fold models of the photo as it lies: `DIR/<image
 * id>.png` with a table of every patch beside it (see `writeBiomassMap`).
 *
 * @throws UsageError when the run has no maps
 */
export async function writePhotoMaps(
  run: Run,
  samples: Samples,
  folder: string,
  { areaSquareMetres, scale, crop, progress = SILENT }: MapOptions,
): Promise<void> {
  const { count } = samples;
  for (let start = 0; start < count; start += PHOTOS_AT_ONCE) {
    const length = Math.min(PHOTOS_AT_ONCE, count - start);
    const some = samples.take(Array.from({ length }, (_, item) => start + item));
    const maps = await run.maps(some, { crop });
    const photos = await framedPhotos(some.photos, crop);
    progress.stage('Drawing maps', count, 'photos');
    progress.advance(start);
    for (const [index, { id }] of some.facts.entries()) {
      const [map, photo] = [maps[index], photos[index]];
      if (!map || !photo) throw new RangeError(`no map of ${id}`);
      const grams = Array.from(map.grams, (mass) => mass * scale);
      await writeBiomassMap({
        photo,
        map: { ...map, grams },
        areaSquareMetres,
        out: join(folder, `${id}.png`),
      });
      progress.advance();
    }
  }
  progress.done();
}
