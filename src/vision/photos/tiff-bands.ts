import type { Sharp } from 'sharp';
import { InputError } from '../../ground/errors.ts';
import { encodedPicture, rawPicture } from './encoded.ts';
import { isMeasuredBand } from './opacity-band.ts';
import { PHOTOMETRIC, type TiffLayout } from './tiff-layout.ts';

/** Colour bands of each way to tell colours; what has another name here is refused. */
const COLOUR_BANDS: Readonly<Record<number, number>> = {
  [PHOTOMETRIC.whiteIsZero]: 1,
  [PHOTOMETRIC.blackIsZero]: 1,
  [PHOTOMETRIC.rgb]: 3,
  [PHOTOMETRIC.palette]: 1,
  [PHOTOMETRIC.separated]: 4,
  [PHOTOMETRIC.ycbcr]: 3,
};

const SAMPLE_FORMAT = { signed: 2, floats: 3, unknown: 4 } as const;

/** Share of the numbers that may lie outside of 0 to 1 where a photo is of floats: glints, and the sensor's noise. */
const MOST_OUTSIDE = 0.001;

/** Which bands of a TIFF are the photo. */
export interface TiffBands {
  /** Places of grey, or of red, green and blue. */
  readonly colours: readonly number[];
  /** Place of the band that is opacity; null: all is opaque. */
  readonly opacity: number | null;
  /** Whether the bands hold floating-point numbers. */
  readonly areFloats: boolean;
  /** Whether the tags call three bands grey that are colours, as GDAL does unless told otherwise. */
  readonly areCalledGrey: boolean;
  /** Whether the decoder reads them right by itself. */
  readonly arePlain: boolean;
}

/**
 * Which bands are the photo, by what the tags say. A band beside red, green and blue is opacity only where
 * ExtraSamples says so; near infrared is left out. Three bands without a word on colour are red, green and blue.
 *
 * @returns null where the decoder's own reading is right and nothing is to be looked at
 * @throws InputError where nothing says which bands are red, green and blue, and for numbers that are no brightness
 */
export function tiffBands(name: string, layout: TiffLayout): TiffBands | null {
  const { photometric, bands, extraSamples, pictures } = layout;
  const refused = (what: string): InputError => new InputError(name, what, remedyFor(layout));
  const colourBands = COLOUR_BANDS[photometric];
  if (colourBands === undefined) throw refused(`its ${bands} bands are neither grey, RGB nor CMYK`);
  if (bands < colourBands) throw refused(`has ${bands} bands where its tags speak of ${colourBands}`);
  const opacities = extraSamples.flatMap((kind, index) => {
    const place = bands - extraSamples.length + index;
    return (kind === 1 || kind === 2) && place >= 0 ? [place] : [];
  });
  const [opacity = null] = opacities;
  const others = bands - opacities.length;
  const isGrey = photometric === PHOTOMETRIC.whiteIsZero || photometric === PHOTOMETRIC.blackIsZero;
  const areCalledGrey =
    photometric === PHOTOMETRIC.blackIsZero && others === 3 && layout.photometricOffset !== null;
  if (isGrey && others > 1 && !areCalledGrey) {
    throw refused(`has ${bands} bands, and nothing in it says which are red, green and blue`);
  }
  if (isGrey && others === 1 && pictures > 2) {
    throw refused(
      `has ${pictures} pictures of one band each, and nothing says which are red, green and blue`,
    );
  }
  const isRgb = photometric === PHOTOMETRIC.rgb || areCalledGrey;
  const areFloats = layout.sampleFormat === SAMPLE_FORMAT.floats;
  const odd = oddNumbers(layout, isRgb || (photometric === PHOTOMETRIC.blackIsZero && opacity === null));
  if (odd !== null) throw refused(`its bands are ${odd}, which sward does not take for brightness`);
  const areEnough = others === colourBands && opacities.length <= 1;
  if (!areEnough && !isRgb) throw refused(`has ${bands} bands, more than its colours need`);
  const arePlain = areEnough && !areFloats && !areCalledGrey;
  if (arePlain && opacity === null) return null;
  return { colours: isRgb ? [0, 1, 2] : [0], opacity, areFloats, areCalledGrey, arePlain };
}

/** What the numbers of bands are, where they are no brightness. @param mayBeFloats whether floats have a meaning */
function oddNumbers({ sampleFormat, bits }: TiffLayout, mayBeFloats: boolean): string | null {
  if (sampleFormat === SAMPLE_FORMAT.floats) {
    return mayBeFloats && bits <= 32 ? null : `${bits}-bit floating-point numbers`;
  }
  if (sampleFormat === SAMPLE_FORMAT.signed) return `signed ${bits}-bit numbers`;
  if (sampleFormat > SAMPLE_FORMAT.unknown) return 'complex numbers';
  return bits <= 16 ? null : `${bits}-bit numbers`;
}

/** How a person makes a photo of the bands. */
function remedyFor({ bits }: TiffLayout): string {
  const [scale, white] = bits > 8 ? [`${TO_BYTES} `, `, and ${WHITE}`] : ['', ''];
  return (
    'save its red, green and blue bands as an 8-bit RGB photo, as ' +
    `\`gdal_translate -b 1 -b 2 -b 3 ${scale}-co PHOTOMETRIC=RGB in.tif out.tif\` does with their numbers after -b${white}`
  );
}

/** One scale for all bands: each by its own range would change the colours. */
const TO_BYTES = '-ot Byte -scale 0 MAX 0 255';
const WHITE = 'the value of white for MAX';

/**
 * The picture of some bands, upright: 8-bit RGB or grey, with opacity where there is one. Floats from 0 to 1 become 0 to
 * 255 in proportion, without gamma.
 *
 * @throws InputError for floats of another range, and for a band that is called opacity but is a measurement
 */
export async function tiffPicture(
  name: string,
  bytes: Uint8Array,
  layout: TiffLayout,
  bands: TiffBands,
): Promise<Sharp> {
  const { colours, opacity, areFloats } = bands;
  if (bands.arePlain) {
    const { data, info } = await encodedPicture(bytes).raw().toBuffer({ resolveWithObject: true });
    requireOpacity(name, layout, data, info);
    return encodedPicture(bytes).autoOrient();
  }
  const turned = encodedPicture(bands.areCalledGrey ? calledRgb(bytes, layout) : bytes).autoOrient();
  const space = colours.length === 1 ? 'b-w' : 'scrgb';
  // Of floats libvips makes neither gamma nor scale where it stays in the space they are in.
  const read = areFloats
    ? turned.pipelineColourspace(space).toColourspace(space).raw({ depth: 'float' })
    : turned.toColourspace('srgb').raw({ depth: 'uchar' });
  const { data, info } = await read.toBuffer({ resolveWithObject: true });
  const numbers = areFloats
    ? new Float32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength))
    : data;
  const places = opacity === null ? colours : [...colours, opacity];
  const pixels = info.width * info.height;
  const taken = new Uint8Array(pixels * places.length);
  const range = areFloats ? new FloatRange() : null;
  for (const [index, place] of places.entries()) {
    for (let pixel = 0; pixel < pixels; pixel++) {
      const value = numbers[pixel * info.channels + place] as number;
      taken[pixel * places.length + index] = range ? range.byteOf(value) : value;
    }
  }
  range?.requireShares(name);
  if (opacity !== null) requireOpacity(name, layout, taken, { ...info, channels: places.length });
  return rawPicture(taken, info.width, info.height, places.length as 1 | 3 | 4);
}

/** @throws InputError where the last band is no opacity */
function requireOpacity(
  name: string,
  layout: TiffLayout,
  data: Uint8Array,
  { width, height, channels }: { readonly width: number; readonly height: number; readonly channels: number },
): void {
  if (!isMeasuredBand(data, width, height, channels)) return;
  const what = `one of its ${layout.bands} bands is called opacity but is a measurement, as of near infrared`;
  throw new InputError(name, what, remedyFor(layout));
}

/** A copy of a file whose tags call its bands red, green and blue. */
function calledRgb(bytes: Uint8Array, { photometricOffset, littleEndian }: TiffLayout): Uint8Array {
  const copy = Uint8Array.from(bytes);
  new DataView(copy.buffer).setUint16(photometricOffset as number, PHOTOMETRIC.rgb, littleEndian);
  return copy;
}

/** Brings floats to bytes and watches which range they are of. */
class FloatRange {
  #least = Number.POSITIVE_INFINITY;
  #most = Number.NEGATIVE_INFINITY;
  #outside = 0;
  #count = 0;

  byteOf(value: number): number {
    this.#count++;
    if (value >= 0 && value <= 1) return Math.round(255 * value);
    this.#outside++;
    if (value < this.#least) this.#least = value;
    if (value > this.#most) this.#most = value;
    return value > 1 ? 255 : 0;
  }

  /** @throws InputError where more than a few lie outside of 0 to 1 */
  requireShares(name: string): void {
    if (this.#outside <= MOST_OUTSIDE * this.#count) return;
    const few = [Math.min(this.#least, 0), Math.max(this.#most, 1)].map((value) =>
      Number(value.toPrecision(4)),
    );
    throw new InputError(
      name,
      `its bands are floating-point numbers from ${few.join(' to ')}, ${((100 * this.#outside) / this.#count).toFixed(1)} % ` +
        'of them not from 0 to 1 as sward takes them',
      `scale its bands to 8 bits, as \`gdal_translate ${TO_BYTES} in.tif out.tif\` does with ${WHITE}`,
    );
  }
}
