import type { Plane } from './frame.ts';
import { type Moments, momentsFromSums } from './statistics.ts';

/**
 * Moments of a picture's detail: the picture less its blur by 1-2-1 in both directions, border pixels left out.
 * The detail is not kept.
 */
export function detailMoments(plane: Plane): Moments {
  const { width, height } = plane;
  const row = new Float64Array(width - 2);
  let sum = 0;
  let squares = 0;
  let cubes = 0;
  for (let y = 1; y < height - 1; y++) {
    detailRow(plane, y, row);
    for (let x = 0; x < row.length; x++) {
      const value = row[x] as number;
      const square = value * value;
      sum += value;
      squares += square;
      cubes += square * value;
    }
  }
  // Detail lies about 0, so that sums of its powers lose nothing.
  return momentsFromSums((width - 2) * (height - 2), 0, { sum, squares, cubes });
}

/**
 * Pearson's correlations of the detail of planes of one size, a pair each; 0 where either is constant.
 *
 * @param pairs places in `planes`
 */
export function detailCorrelations(
  planes: readonly Plane[],
  pairs: readonly (readonly [number, number])[],
): number[] {
  const { width, height } = planes[0] as Plane;
  const rows = planes.map(() => new Float64Array(width - 2));
  const sums = new CrossSums(planes.length, pairs);
  for (let y = 1; y < height - 1; y++) {
    planes.forEach((plane, index) => {
      detailRow(plane, y, rows[index] as Float64Array);
    });
    sums.add(rows);
  }
  return sums.correlations();
}

/** As {@link detailCorrelations}, of the planes themselves. */
export function correlationsOf(
  planes: readonly Plane[],
  pairs: readonly (readonly [number, number])[],
): number[] {
  const sums = new CrossSums(planes.length, pairs);
  const origins = planes.map(({ data }) => data[0] as number);
  sums.add(
    planes.map(({ data }, index) => Float64Array.from(data, (value) => value - (origins[index] ?? 0))),
  );
  return sums.correlations();
}

/** Sums, and sums of products, that correlations are made of. */
class CrossSums {
  readonly #pairs: readonly (readonly [number, number])[];
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;
  readonly #products: Float64Array;
  #count = 0;

  constructor(lists: number, pairs: readonly (readonly [number, number])[]) {
    this.#pairs = pairs;
    this.#sums = new Float64Array(lists);
    this.#squares = new Float64Array(lists);
    this.#products = new Float64Array(pairs.length);
  }

  /** Goes on with each list. */
  add(lists: readonly Float64Array[]): void {
    this.#count += lists[0]?.length ?? 0;
    lists.forEach((list, index) => {
      this.#sums[index] = (this.#sums[index] as number) + total(list);
      this.#squares[index] = (this.#squares[index] as number) + product(list, list);
    });
    this.#pairs.forEach(([one, other], index) => {
      const found = product(lists[one] as Float64Array, lists[other] as Float64Array);
      this.#products[index] = (this.#products[index] as number) + found;
    });
  }

  correlations(): number[] {
    const mean = (list: number): number => (this.#sums[list] as number) / this.#count;
    const deviation = (list: number): number =>
      Math.sqrt(Math.max(0, (this.#squares[list] as number) / this.#count - mean(list) ** 2));
    return this.#pairs.map(([one, other], index) => {
      if (deviation(one) < 1e-6 || deviation(other) < 1e-6) return 0;
      const covariance = (this.#products[index] as number) / this.#count - mean(one) * mean(other);
      return covariance / (deviation(one) * deviation(other));
    });
  }
}

/** Sum of a list, in four parts as {@link product}. */
function total(list: Float64Array): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i + 3 < list.length; i += 4) {
    a += list[i] as number;
    b += list[i + 1] as number;
    c += list[i + 2] as number;
    d += list[i + 3] as number;
  }
  for (; i < list.length; i++) a += list[i] as number;
  return a + b + (c + d);
}

/** Sum of the products of two lists; in four parts, since each addition waits for the one before. */
function product(one: Float64Array, other: Float64Array): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i + 3 < one.length; i += 4) {
    a += (one[i] as number) * (other[i] as number);
    b += (one[i + 1] as number) * (other[i + 1] as number);
    c += (one[i + 2] as number) * (other[i + 2] as number);
    d += (one[i + 3] as number) * (other[i + 3] as number);
  }
  for (; i < one.length; i++) a += (one[i] as number) * (other[i] as number);
  return a + b + (c + d);
}

/** Row `y` of the detail of a plane, without its first and last pixel. */
function detailRow({ width, data }: Plane, y: number, row: Float64Array): void {
  let at = y * width + 1;
  // Columns move along, so that each pixel is read once a row and not three times.
  let edge = (data[at - 1 - width] as number) + (data[at - 1 + width] as number);
  let side = data[at - 1] as number;
  let ends = (data[at - width] as number) + (data[at + width] as number);
  let centre = data[at] as number;
  for (let x = 0; x < row.length; x++, at++) {
    const nextEnds = (data[at + 1 - width] as number) + (data[at + 1 + width] as number);
    const next = data[at + 1] as number;
    row[x] = 0.75 * centre - 0.125 * (side + next + ends) - 0.0625 * (edge + nextEnds);
    edge = ends;
    side = centre;
    ends = nextEnds;
    centre = next;
  }
}
