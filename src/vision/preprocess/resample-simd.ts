import {
  add,
  addIntegers,
  asBytes,
  asShorts,
  type Code,
  constant,
  type FunctionDefinition,
  firstBytesAsShorts,
  functionsOver,
  lastBytesAsShorts,
  loadInteger,
  loadRepeated,
  loadVector,
  mixBytes,
  moduleOf,
  noVector,
  PAGE_BYTES,
  pickBytes,
  repeated,
  type Scope,
  shiftIntegersLeft,
  shiftIntegersRight,
  storeFirstInteger,
  storeVector,
  sumOfTwoProducts,
} from '../../ground/webassembly.ts';
import { CHANNELS, type Passes, type PicturePart } from './passes.ts';
import { PRECISION_BITS, type Taps } from './taps.ts';

/**
 * Pillow's sums of bytes times 22-bit weights, several at once. Processors multiply shorts and add neighbours in one
 * step, so a weight is split in two shorts, w = 2¹¹ high + low with 0 ≤ low < 2¹¹, and what both give is put together at
 * the end: integers, so the sums are the same to the last bit.
 */
const LOW_BITS = 11;

const VECTOR_BYTES = 16;
/** Two taps: two high parts, two low ones. */
const PAIR_BYTES = 8;
/** Taps that a step along a row takes: their twelve bytes are what a vector holds. */
const ROW_TAPS = 4;
/** Weights are taken in twos when rows are summed. */
const COLUMN_TAPS = 2;

/** Loops over rows in a memory; every argument is an address or a number of bytes. */
interface RowKernel {
  /**
   * Filters one row.
   *
   * @param to pixels of the result, up to `end`; a byte after them is overwritten
   * @param firsts for each pixel of the result, where its first tap lies in the row
   * @param weights for each pixel of the result, `weightBytes` of them
   */
  alongRow(from: number, to: number, end: number, firsts: number, weights: number, weightBytes: number): void;
  /**
   * Sums rows that lie `stride` bytes apart.
   *
   * @param to the result, up to `end`; up to 15 bytes after it are overwritten
   */
  acrossRows(from: number, to: number, end: number, stride: number, weights: number, last: number): void;
}

const HALF: Code = repeated(constant(2 ** (PRECISION_BITS - 1)));

/** Adds products of pixels and the pair of weights at `offset` to both sums. */
const addProducts = (
  { get, set }: Scope,
  [high, low]: readonly [string, string],
  pixels: Code,
  [highs, lows]: readonly [Code, Code],
): readonly Code[] => [
  set('pixels', pixels),
  set(high, addIntegers(get(high), sumOfTwoProducts(get('pixels'), highs))),
  set(low, addIntegers(get(low), sumOfTwoProducts(get('pixels'), lows))),
];

/** Four rounded integers, still not limited to a byte. */
const rounded = ({ get }: Scope, high: string, low: string): Code =>
  shiftIntegersRight(
    addIntegers(addIntegers(shiftIntegersLeft(get(high), constant(LOW_BITS)), get(low)), HALF),
    constant(PRECISION_BITS),
  );

/** Channels of two neighbouring pixels, of which the first begins at a byte, as shorts in twos. */
const neighbours = (from: number): readonly number[] =>
  [0, 1, 2]
    .flatMap((channel) => [from + channel, 255, from + channel + CHANNELS, 255])
    .concat(Array(4).fill(255));

const ALONG_ROW: FunctionDefinition = {
  name: 'alongRow',
  parameters: ['from', 'to', 'end', 'firsts', 'weights', 'weightBytes'],
  locals: { at: 'i32', next: 'i32', source: 'vector', pixels: 'vector', high: 'vector', low: 'vector' },
  body: (scope) => {
    const { get, set, step, whileBelow } = scope;
    const pair = (offset: number) =>
      [loadRepeated(get('weights'), offset), loadRepeated(get('weights'), offset + 4)] as const;
    return [
      whileBelow('to', 'end', [
        set('at', add(get('from'), loadInteger(get('firsts')))),
        set('next', add(get('weights'), get('weightBytes'))),
        set('high', noVector),
        set('low', noVector),
        whileBelow('weights', 'next', [
          set('source', loadVector(get('at'))),
          ...addProducts(scope, ['high', 'low'], pickBytes(get('source'), neighbours(0)), pair(0)),
          ...addProducts(
            scope,
            ['high', 'low'],
            pickBytes(get('source'), neighbours(2 * CHANNELS)),
            pair(PAIR_BYTES),
          ),
          step('at', ROW_TAPS * CHANNELS),
          step('weights', (ROW_TAPS / 2) * PAIR_BYTES),
        ]),
        set('high', asShorts(rounded(scope, 'high', 'low'), noVector)),
        storeFirstInteger(get('to'), asBytes(get('high'), noVector)),
        step('to', CHANNELS),
        step('firsts', Int32Array.BYTES_PER_ELEMENT),
      ]),
    ];
  },
};

/** Bytes of two vectors in turn, of their first or second half. */
const inTurn = (from: number): readonly number[] =>
  Array.from({ length: VECTOR_BYTES }, (_, at) => from + Math.floor(at / 2) + (at % 2) * VECTOR_BYTES);

const QUARTERS = ['0', '1', '2', '3'] as const;

const ACROSS_ROWS: FunctionDefinition = {
  name: 'acrossRows',
  parameters: ['from', 'to', 'end', 'stride', 'weights', 'last'],
  locals: {
    at: 'i32',
    weight: 'i32',
    upper: 'vector',
    lower: 'vector',
    half: 'vector',
    pixels: 'vector',
    highs: 'vector',
    lows: 'vector',
    ...Object.fromEntries(
      QUARTERS.flatMap((q) => [[`high${q}`, 'vector'] as const, [`low${q}`, 'vector'] as const]),
    ),
  },
  body: (scope) => {
    const { get, set, step, whileBelow } = scope;
    const products = (quarter: (typeof QUARTERS)[number], pixels: Code): readonly Code[] =>
      addProducts(scope, [`high${quarter}`, `low${quarter}`], pixels, [get('highs'), get('lows')]);
    const [first, second, third, fourth] = QUARTERS.map((q) => rounded(scope, `high${q}`, `low${q}`)) as [
      Code,
      Code,
      Code,
      Code,
    ];
    return [
      whileBelow('to', 'end', [
        set('at', get('from')),
        set('weight', get('weights')),
        ...QUARTERS.flatMap((q) => [set(`high${q}`, noVector), set(`low${q}`, noVector)]),
        whileBelow('weight', 'last', [
          set('upper', loadVector(get('at'))),
          set('at', add(get('at'), get('stride'))),
          set('lower', loadVector(get('at'))),
          set('at', add(get('at'), get('stride'))),
          set('highs', loadRepeated(get('weight'), 0)),
          set('lows', loadRepeated(get('weight'), 4)),
          set('half', mixBytes(get('upper'), get('lower'), inTurn(0))),
          ...products('0', firstBytesAsShorts(get('half'))),
          ...products('1', lastBytesAsShorts(get('half'))),
          set('half', mixBytes(get('upper'), get('lower'), inTurn(VECTOR_BYTES / 2))),
          ...products('2', firstBytesAsShorts(get('half'))),
          ...products('3', lastBytesAsShorts(get('half'))),
          step('weight', PAIR_BYTES),
        ]),
        storeVector(get('to'), asBytes(asShorts(first, second), asShorts(third, fourth))),
        step('to', VECTOR_BYTES),
        step('from', VECTOR_BYTES),
      ]),
    ];
  },
};

interface Machine {
  readonly memory: WebAssembly.Memory;
  readonly kernel: RowKernel;
}

/** Begun once a thread; null where there is no WebAssembly, it has no vectors, or a page may not compile any. */
let machine: Machine | null | undefined;

function begin(): Machine | null {
  try {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const module = new WebAssembly.Module(moduleOf([ALONG_ROW, ACROSS_ROWS], false));
    return { memory, kernel: functionsOver<RowKernel>(module, memory) };
  } catch {
    return null;
  }
}

/**
 * Filters a part of a picture along both axes by vectors of WebAssembly. Rows pass one by one through a memory that
 * holds no more of them than one row of the result needs, so it stays in the processor's cache whatever the photo's size.
 *
 * @returns [outputs of `down`, outputs of `across`, 3], or undefined where WebAssembly cannot do it
 */
export function resampleBySimd(
  part: PicturePart,
  { across, down, columnsFirst }: Passes,
): Uint8Array<ArrayBuffer> | undefined {
  if (machine === undefined) machine = begin();
  if (machine === null) return undefined;
  const { memory, kernel } = machine;
  const [width, height] = [across.first.length, down.first.length];
  const sourceBytes = part.width * CHANNELS;
  const resultBytes = width * CHANNELS;
  const rows = packed(across, ROW_TAPS, CHANNELS);
  const columns = packed(down, COLUMN_TAPS, 1);
  // Rows wait to be summed, one after another; those that are still wanted move to the front when there is no room.
  const waitingBytes = columnsFirst ? sourceBytes : resultBytes;
  const room = 2 * columns.taps;

  let end = 0;
  const place = (bytes: number): number => {
    const at = end;
    // Vectors are read and written past the last pixel.
    end = Math.ceil((at + bytes) / VECTOR_BYTES + 2 * ROW_TAPS) * VECTOR_BYTES;
    return at;
  };
  const firsts = place(rows.firsts.byteLength);
  const rowWeights = place(rows.weights.byteLength);
  const columnWeights = place(columns.weights.byteLength);
  // Taps without weight may lie past the row.
  const single = place(sourceBytes + rows.taps * CHANNELS);
  const waiting = place(room * waitingBytes);
  const result = place(resultBytes);
  const missing = Math.ceil(end / PAGE_BYTES) - memory.buffer.byteLength / PAGE_BYTES;
  if (missing > 0) memory.grow(missing);
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(new Uint8Array(rows.firsts.buffer), firsts);
  bytes.set(new Uint8Array(rows.weights.buffer), rowWeights);
  bytes.set(new Uint8Array(columns.weights.buffer), columnWeights);

  const filterRow = (from: number, to: number): void =>
    kernel.alongRow(from, to, to + resultBytes, firsts, rowWeights, rows.bytes);
  const filled = new Uint8Array(height * resultBytes);
  // Rows of the source from `oldest` to before `newest` wait.
  let [oldest, newest] = [0, 0];
  for (let row = 0; row < height; row++) {
    const first = down.first[row] as number;
    const last = first + (down.count[row] as number);
    if (first + columns.taps - oldest > room) {
      bytes.copyWithin(
        waiting,
        waiting + (first - oldest) * waitingBytes,
        waiting + (newest - oldest) * waitingBytes,
      );
      oldest = first;
    }
    for (; newest < last; newest++) {
      const start = part.start + newest * part.stride;
      const to = waiting + (newest - oldest) * waitingBytes;
      bytes.set(part.data.subarray(start, start + sourceBytes), columnsFirst ? to : single);
      if (!columnsFirst) filterRow(single, to);
    }
    const sum = columnsFirst ? single : result;
    const weights = columnWeights + row * columns.bytes;
    kernel.acrossRows(
      waiting + (first - oldest) * waitingBytes,
      sum,
      sum + waitingBytes,
      waitingBytes,
      weights,
      weights + columns.bytes,
    );
    if (columnsFirst) filterRow(single, result);
    filled.set(bytes.subarray(result, result + resultBytes), row * resultBytes);
  }
  return filled;
}

/**
 * Taps as the kernel reads them: as many for every output, zeros where there are fewer.
 *
 * @param multiple what the number of taps is a multiple of
 * @param pixelBytes from pixel to pixel
 */
function packed(
  { first, count, weights, widest }: Taps,
  multiple: number,
  pixelBytes: number,
): {
  readonly firsts: Int32Array;
  readonly weights: Int16Array;
  readonly taps: number;
  readonly bytes: number;
} {
  const most = count.reduce((one, other) => Math.max(one, other), 0);
  const taps = Math.ceil(most / multiple) * multiple;
  const halves = new Int16Array(first.length * taps * 2);
  count.forEach((taken, output) => {
    for (let tap = 0; tap < taken; tap++) {
      const weight = weights[output * widest + tap] as number;
      const at = (output * taps + (tap & ~1)) * 2 + (tap & 1);
      halves[at] = weight >> LOW_BITS;
      halves[at + 2] = weight & (2 ** LOW_BITS - 1);
    }
  });
  return { firsts: first.map((pixel) => pixel * pixelBytes), weights: halves, taps, bytes: taps * 2 * 2 };
}
