import type { Pixels } from './pixels.ts';

/** Side of the grey picture whose frequencies are taken, and how many of the lowest are kept each way. */
const [SIDE, KEPT] = [32, 8];

/** Brightness of red, green and blue: ITU-R BT.601. */
const LUMA = [0.299, 0.587, 0.114] as const;

/** Differences this small are rounding, of a picture that is all of one colour. */
const NOTHING = 1e-6;

/** `[frequency, place]`: the cosines of a discrete cosine transform (DCT-II). */
const COSINES = Array.from({ length: KEPT }, (_, frequency) =>
  Float64Array.from({ length: SIDE }, (_, place) =>
    Math.cos((Math.PI * (2 * place + 1) * frequency) / (2 * SIDE)),
  ),
);

/**
 * A hash of what a photo shows, which copies of it nearly share: 64 bits, each whether one of the lowest frequencies of
 * the grey picture is above their median (Zauner 2010, pHash). The first is that of mean brightness, which is always set.
 *
 * Compared by {@link perceptualDistance}. Of 86 photos of quadrats, 9 copies each (JPEG down to quality 30, WebP, a
 * quarter to three times the width, brighter, another gamma, grey) were at most 6 bits from their photo, 95 % at most 4;
 * two different photos never less than 16, of one visit 18, half of them 32 or more. So up to 10 bits tell a copy.
 *
 * @param pixels at least some 100 a side; copies decoded at other sizes compare as well
 */
export function perceptualHash(pixels: Pixels): bigint {
  const values = lowestFrequencies(shrunkGrey(pixels));
  const middle = median(values.subarray(1));
  return values.reduce((hash, value) => (hash << 1n) | (value - middle > NOTHING ? 1n : 0n), 0n);
}

/** In how many of their 64 bits two hashes differ. */
export function perceptualDistance(one: bigint, other: bigint): number {
  let bits = 0;
  for (let rest = one ^ other; rest > 0n; rest &= rest - 1n) bits++;
  return bits;
}

/** [SIDE, SIDE]: the mean brightness of each part of a picture. */
function shrunkGrey({ data, width, height }: Pixels): Float64Array {
  const sums = new Float64Array(SIDE * SIDE);
  const counts = new Float64Array(SIDE * SIDE);
  const [across, down] = [placesOf(width), placesOf(height)];
  for (const { at: y, cell: row } of down) {
    for (const { at: x, cell: column } of across) {
      const pixel = (y * width + x) * 3;
      const brightness = LUMA.reduce((sum, part, band) => sum + part * (data[pixel + band] as number), 0);
      const cell = row * SIDE + column;
      sums[cell] = (sums[cell] as number) + brightness;
      counts[cell] = (counts[cell] as number) + 1;
    }
  }
  return sums.map((sum, cell) => sum / (counts[cell] as number));
}

/** Which of the parts each pixel of a side belongs to; of a short side pixels are taken several times. */
function placesOf(length: number): { readonly at: number; readonly cell: number }[] {
  const count = Math.max(length, SIDE);
  return Array.from({ length: count }, (_, index) => ({
    at: Math.floor((index * length) / count),
    cell: Math.floor((index * SIDE) / count),
  }));
}

/** [KEPT, KEPT], the mean first. */
function lowestFrequencies(grey: Float64Array): Float64Array {
  return Float64Array.from({ length: KEPT * KEPT }, (_, index) => {
    const down = COSINES[Math.floor(index / KEPT)] as Float64Array;
    const across = COSINES[index % KEPT] as Float64Array;
    return grey.reduce(
      (sum, value, place) =>
        sum + value * (down[Math.floor(place / SIDE)] as number) * (across[place % SIDE] as number),
      0,
    );
  });
}

function median(values: Float64Array): number {
  return values.toSorted()[Math.floor(values.length / 2)] as number;
}
