import { join } from 'node:path';
import sharp from 'sharp';
import { writeFileAtomically } from '../../ground/files.ts';
import type { Samples } from '../../samples/samples.ts';
import { type Crop, framedPhotos } from '../../vision/framing/index.ts';
import { decodePhoto } from '../../vision/photos/index.ts';
import { OWN_PICTURE, requireOwnOutput } from '../outputs/own-outputs.ts';
import type { NamedPhotos } from './biomass-maps.ts';

/** @throws UsageError for a photo in the folder that {@link writeCrops} would take the place of */
export async function requireOwnCrops({ facts }: NamedPhotos, folder: string): Promise<void> {
  for (const { id } of facts) await requireOwnOutput('--show-crop', join(folder, `${id}.jpg`), 'crop');
}

/**
 * Writes what counts of each photo as `DIR/<image id>.jpg`.
 *
 * @throws InputError when a photo cannot be used or the disk refuses
 */
export async function writeCrops(samples: Samples, crop: Crop | null, folder: string): Promise<void> {
  const photos = await framedPhotos(samples.photos, crop);
  for (const [item, photo] of photos.entries()) {
    const { data, width, height } = await decodePhoto(photo);
    const picture = sharp(data, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 92 })
      .withExif({ IFD0: { Software: OWN_PICTURE } });
    await writeFileAtomically(join(folder, `${samples.facts[item]?.id}.jpg`), await picture.toBuffer());
  }
}
