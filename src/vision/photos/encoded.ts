import sharp, { type Metadata, type Sharp, type SharpOptions } from 'sharp';
import { SwardError } from '../../ground/errors.ts';

/** Photos with more pixels than this are refused; phones stop at 200 megapixels. */
export const MAX_PHOTO_PIXELS = 200_000_000;

/** A file that ends early is an error everywhere: libvips would otherwise fill what is missing with grey and go on. */
const READING: SharpOptions = { failOn: 'truncated', sequentialRead: true, pages: 1 };

/** A picture of which libvips decodes the file, as it lies: not turned. */
export function encodedPicture(bytes: Uint8Array, page = 0): Sharp {
  return sharp(bytes, { ...READING, ...(page > 0 && { page }), limitInputPixels: MAX_PHOTO_PIXELS });
}

/**
 * What libvips reads in a file's header, of the picture that a file of several names as the first.
 *
 * @throws Error when it is no picture that libvips knows
 */
export async function encodedHeader(bytes: Uint8Array): Promise<Metadata> {
  const unlimited = { ...READING, limitInputPixels: false };
  const metadata = await sharp(bytes, unlimited).metadata();
  const page = metadata.pagePrimary ?? 0;
  return page === 0 ? metadata : sharp(bytes, { ...unlimited, page }).metadata();
}

/** A picture of pixels in memory. @param channels 1 grey, 3 RGB, 4 RGB and opacity */
export function rawPicture(data: Uint8Array, width: number, height: number, channels: 1 | 3 | 4): Sharp {
  return sharp(data, { raw: { width, height, channels }, limitInputPixels: MAX_PHOTO_PIXELS });
}

/**
 * An ICC profile of libvips: that of the colours all photos are converted to, or that by which CMYK photos are read that
 * have none ("Chemical proof" by G. W. Gill, public domain).
 */
export async function colourProfile(colours: 'srgb' | 'cmyk'): Promise<Buffer> {
  const pixel = rawPicture(new Uint8Array(3), 1, 1, 3).toColourspace(colours).withIccProfile(colours);
  const { icc } = await sharp(await pixel.tiff().toBuffer()).metadata();
  if (!icc) throw new SwardError(`libvips wrote no profile of ${colours}; report this`);
  return icc;
}
