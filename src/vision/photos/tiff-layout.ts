/** What the tags of a TIFF say of its first picture: TIFF 6.0, section 8 and 18, and BigTIFF. */
export interface TiffLayout {
  readonly width: number;
  readonly height: number;
  /** PhotometricInterpretation: what the colour bands are. */
  readonly photometric: number;
  /** SamplesPerPixel. */
  readonly bands: number;
  /** The most bits a band has. */
  readonly bits: number;
  /** SampleFormat: 1 whole numbers, 2 signed, 3 floating point, 4 unknown, 5 and 6 complex. */
  readonly sampleFormat: number;
  /** ExtraSamples of the last bands: 0 unspecified, 1 and 2 opacity. */
  readonly extraSamples: readonly number[];
  /** Where the photometric interpretation stands in the file, two bytes; null where there is none. */
  readonly photometricOffset: number | null;
  readonly littleEndian: boolean;
  /** Pictures of the file that are as large as the first and no reduced copies or masks of another, the first too. */
  readonly pictures: number;
}

const TAG = {
  subfile: 254,
  width: 256,
  height: 257,
  bits: 258,
  photometric: 262,
  bands: 277,
  extraSamples: 338,
  sampleFormat: 339,
} as const;

export const PHOTOMETRIC = {
  whiteIsZero: 0,
  blackIsZero: 1,
  rgb: 2,
  palette: 3,
  separated: 5,
  ycbcr: 6,
} as const;

/** Directories that are followed at most: a damaged file may lead in a circle. */
const MOST_PICTURES = 100;

/** Bytes of a BYTE, SHORT and LONG, and of BigTIFF's LONG8; of other types nothing is read here. */
const TYPE_BYTES: Readonly<Record<number, 1 | 2 | 4 | 8>> = { 1: 1, 3: 2, 4: 4, 16: 8 };

interface Entry {
  readonly numbers: readonly number[];
  /** Where the numbers stand, and how many bytes each has. */
  readonly offset: number;
  readonly bytes: number;
}

/** @returns null when the directory of the file cannot be followed; the decoder may say why */
export function readTiffLayout(bytes: Uint8Array): TiffLayout | null {
  try {
    return layoutOf(new TiffFile(bytes));
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function layoutOf(file: TiffFile): TiffLayout {
  const [first = new Map<number, Entry>(), ...others] = file.directories();
  const numbersOf = (tag: number): readonly number[] => first.get(tag)?.numbers ?? [];
  const photometric = first.get(TAG.photometric);
  const [width = 0] = numbersOf(TAG.width);
  const [height = 0] = numbersOf(TAG.height);
  const isFurther = (directory: Map<number, Entry>): boolean =>
    directory.get(TAG.width)?.numbers[0] === width &&
    directory.get(TAG.height)?.numbers[0] === height &&
    ((directory.get(TAG.subfile)?.numbers[0] ?? 0) & REDUCED_OR_MASK) === 0;
  return {
    width,
    height,
    photometric: photometric?.numbers[0] ?? PHOTOMETRIC.blackIsZero,
    bands: numbersOf(TAG.bands)[0] ?? 1,
    bits: Math.max(1, ...numbersOf(TAG.bits)),
    sampleFormat: Math.max(1, ...numbersOf(TAG.sampleFormat)),
    extraSamples: numbersOf(TAG.extraSamples),
    photometricOffset: photometric?.bytes === 2 ? photometric.offset : null,
    littleEndian: file.littleEndian,
    pictures: 1 + others.filter(isFurther).length,
  };
}

/** Bits of NewSubfileType. */
const REDUCED_OR_MASK = 1 | 4;

/** A TIFF or BigTIFF of either byte order. Reading outside of it is a RangeError. */
class TiffFile {
  readonly littleEndian: boolean;
  readonly #view: DataView;
  readonly #isBig: boolean;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.littleEndian = this.#view.getUint8(0) === 0x49;
    this.#isBig = this.#number(2, 2) === 43;
  }

  /** The tags of each picture that are of interest here. */
  directories(): Map<number, Entry>[] {
    const found: Map<number, Entry>[] = [];
    let at = this.#isBig ? this.#number(8, 8) : this.#number(4, 4);
    while (at > 0 && found.length < MOST_PICTURES) {
      const { directory, next } = this.#directory(at);
      found.push(directory);
      at = next;
    }
    return found;
  }

  #directory(at: number): { readonly directory: Map<number, Entry>; readonly next: number } {
    const [countBytes, entryBytes, offsetBytes] = this.#isBig ? ([8, 20, 8] as const) : ([2, 12, 4] as const);
    const count = this.#number(at, countBytes);
    const directory = new Map<number, Entry>();
    for (let index = 0; index < count; index++) {
      const entry = at + countBytes + index * entryBytes;
      const tag = this.#number(entry, 2);
      if (WANTED.has(tag)) directory.set(tag, this.#entry(entry, offsetBytes));
    }
    return { directory, next: this.#number(at + countBytes + count * entryBytes, offsetBytes) };
  }

  #entry(at: number, offsetBytes: 4 | 8): Entry {
    const bytes = TYPE_BYTES[this.#number(at + 2, 2)];
    const count = this.#number(at + 4, offsetBytes);
    if (bytes === undefined || count > MOST_NUMBERS) throw new RangeError('no list of numbers');
    const value = at + 4 + offsetBytes;
    const offset = bytes * count <= offsetBytes ? value : this.#number(value, offsetBytes);
    return {
      numbers: Array.from({ length: count }, (_, index) => this.#number(offset + index * bytes, bytes)),
      offset,
      bytes,
    };
  }

  #number(at: number, bytes: 1 | 2 | 4 | 8): number {
    if (bytes === 1) return this.#view.getUint8(at);
    if (bytes === 2) return this.#view.getUint16(at, this.littleEndian);
    if (bytes === 4) return this.#view.getUint32(at, this.littleEndian);
    return Number(this.#view.getBigUint64(at, this.littleEndian));
  }
}

const WANTED: ReadonlySet<number> = new Set(Object.values(TAG));

/** More numbers than any tag of interest has: one a band. */
const MOST_NUMBERS = 65_535;
