import { existsSync } from 'node:fs';
import { openPhoto } from '../../vision/photos/index.ts';

/** A small picture of a photo, or in plain words why there is none. */
export type Thumbnail =
  | { readonly kind: 'picture'; readonly dataUri: string; readonly width: number; readonly height: number }
  | { readonly kind: 'missing'; readonly reason: string };

/** Where a report gets its thumbnails from. It answers `missing` rather than throw. */
export type ThumbnailSource = (photoPath: string) => Promise<Thumbnail>;

/** Width of a thumbnail in pixels; its height follows from the photo. */
const THUMBNAIL_WIDTH = 320;

/** A tall panorama is cut at this many pixels rather than fill the page. */
const THUMBNAIL_MAX_HEIGHT = 480;

/**
 * Reads photos from disk and shrinks them to JPEGs of at most 320 pixels across, upright. A photo that is not there or cannot be decoded is `missing`: a report of a run stays
 * readable after the photos have moved.
 */
export const thumbnailsFromDisk: ThumbnailSource = async (photoPath) => {
  try {
    const { picture } = await openPhoto(photoPath);
    const { data, info } = await (await picture())
      .resize({
        width: THUMBNAIL_WIDTH,
        height: THUMBNAIL_MAX_HEIGHT,
        fit: 'inside',
        withoutEnlargement: true,
      })
      .flatten({ background: '#ffffff' })
      .jpeg({ quality: 72, chromaSubsampling: '4:2:0' })
      .toBuffer({ resolveWithObject: true });
    return {
      kind: 'picture',
      dataUri: `data:image/jpeg;base64,${data.toString('base64')}`,
      width: info.width,
      height: info.height,
    };
  } catch {
    return { kind: 'missing', reason: existsSync(photoPath) ? 'photo cannot be read' : 'photo not found' };
  }
};
