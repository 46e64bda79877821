import { UsageError } from '../../ground/errors.ts';
import { MOST_PAGES, PAGE_BYTES } from '../../ground/webassembly.ts';
import type { BinnedMatrix } from './bins.ts';
import type { LeafwiseParameters } from './boost-settings.ts';
import { CELL_BYTES, COUNT_BYTES } from './histogram.ts';

const INTEGER_BYTES = 4;
/** Areas begin on a cache line of their own: threads write into neighbouring ones at once. */
const LINE_BYTES = 64;

/**
 * The memory of a training, which its threads share if there are several, and where in it everything is, in bytes. It is plain data: a thread
 * that is given it sees the same numbers.
 */
export interface ColumnSpace {
  readonly memory: WebAssembly.Memory;
  readonly threads: number;
  /** Rows and columns of the data. */
  readonly rows: number;
  readonly columns: number;
  /** Cells of a histogram. */
  readonly cells: number;
  readonly binBytes: number;
  /** Whether Hessians are not all 1, so that histograms count rows beside them. */
  readonly counted: boolean;
  /** Whether λ₁ is above 0, and whether each node tries one bound of a column only. */
  readonly shrunk: boolean;
  readonly chosen: boolean;
  readonly at: Readonly<Record<Area, number>>;
  readonly histogramBytes: number;
  readonly histograms: number;
}

type Area =
  /** Bins, column by column. */
  | 'bins'
  /** What is told of each column, see {@link COLUMN}. */
  | 'table'
  /** Columns of the tree, ascending. */
  | 'drawn'
  /** For each of the two nodes searched, column by column: a value of {@link Wanted}, or the only bound to try. */
  | 'wanted'
  /** Rows, leaf by leaf. */
  | 'listed'
  /** Gradient and Hessian of each listed row. */
  | 'pairs'
  /** Of the step in work, see {@link STEP} and {@link NODE}. */
  | 'step'
  | 'nodes'
  /** Best splits, see {@link FOUND}: a thread writes its own. */
  | 'found'
  | 'histograms';

/** What a node wants of a column; 0 and more: the only bound to try. */
export const WANTED = { all: -1, none: -2 } as const;

/** Integers of a step. */
export const STEP = {
  /** Parts of the columns that no thread has taken; below 1 there is nothing to do. */
  left: 0,
  /** Parts that are not finished. The thread that leads sleeps on it. */
  pending: 1,
  /** 1: the training is over. */
  over: 2,
  /** Counts up when there is something to do. Threads that help sleep on it. */
  bell: 3,
  /** Which step it is. */
  number: 4,
  parts: 5,
  /** Number of drawn columns. */
  drawn: 6,
  /** The rows whose histogram is made, as places in the list. */
  from: 7,
  to: 8,
  /** The histogram they are summed in. */
  child: 9,
  /** The histogram of the node above, which becomes that of the other child; −1 at the root. */
  parent: 10,
  /** 1: a thread has failed. */
  failed: 11,
  length: 12,
} as const;

/** Integers of a column. */
export const COLUMN = {
  /** Address of its bins. */
  bins: 0,
  /** Where in a histogram its cells begin and end, and so its numbers of rows, in bytes. */
  cells: 1,
  cellsEnd: 2,
  counts: 3,
  countsEnd: 4,
  /** Number of bounds; −1 for a column of categories, which is not searched by threads. */
  bounds: 5,
  /** 1 where the bin after the last bound is that of missing values. */
  missing: 6,
  length: 8,
} as const;

/** Doubles of each of the two nodes searched. */
export const NODE = {
  /** Sums over its rows. */
  nodeGradient: 0,
  nodeHessian: 1,
  nodeCount: 2,
  /** What a split has to gain more than: what the node itself lowers the loss by, and the least gain. */
  own: 3,
  /** What each side needs. */
  leastCount: 4,
  leastHessian: 5,
  lambdaL1: 6,
  lambdaL2: 7,
  length: 8,
} as const;

/** Doubles of the best split that a thread has found for one of the two nodes. */
export const FOUND = {
  /** The step it was found in; of another one it is no more than left over. */
  step: 0,
  gain: 1,
  column: 2,
  bin: 3,
  missingLeft: 4,
  gradient: 5,
  hessian: 6,
  count: 7,
  length: 8,
} as const;

/**
 * Makes the memory for a training and puts bins into it. Pages count as memory only once they are used.
 *
 * @param counted whether Hessians are not all 1
 * @throws UsageError when histograms of that many leaves and bins cannot be kept
 */
export function columnSpace(
  { rows, columns, bins, offsets }: BinnedMatrix,
  parameters: LeafwiseParameters,
  counted: boolean,
  threads: number,
): ColumnSpace {
  const cells = offsets[columns.length] as number;
  const histogramBytes = lines(cells * (CELL_BYTES + (counted ? COUNT_BYTES : 0)));
  const histograms = mostHistograms(rows, parameters);
  let end = 0;
  const area = (bytes: number): number => {
    const start = end;
    end += lines(bytes);
    return start;
  };
  const at: Record<Area, number> = {
    bins: area(bins.byteLength),
    table: area(INTEGER_BYTES * COLUMN.length * columns.length),
    drawn: area(INTEGER_BYTES * columns.length),
    wanted: area(2 * INTEGER_BYTES * columns.length),
    listed: area(INTEGER_BYTES * rows),
    pairs: area(CELL_BYTES * rows),
    step: area(INTEGER_BYTES * STEP.length),
    nodes: area(2 * Float64Array.BYTES_PER_ELEMENT * NODE.length),
    found: area(2 * threads * Float64Array.BYTES_PER_ELEMENT * FOUND.length),
    // Cells are read in pairs, the last one with what lies after it.
    histograms: area(histograms * histogramBytes + CELL_BYTES),
  };
  const pages = Math.ceil(end / PAGE_BYTES);
  if (pages > MOST_PAGES) {
    throw new UsageError(
      `histograms of ${histograms} leaves and ${cells} bins take more than the 4 GiB there are for them; lower numLeaves or maxBin`,
    );
  }
  // What is not shared is counted as memory that collecting garbage may return, and is returned in time.
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: threads > 1 });
  const { buffer } = memory;
  new Uint8Array(buffer, at.bins, bins.byteLength).set(
    new Uint8Array(bins.buffer, bins.byteOffset, bins.byteLength),
  );
  const table = new Int32Array(buffer, at.table, COLUMN.length * columns.length);
  columns.forEach((column, index) => {
    const first = offsets[index] as number;
    const past = offsets[index + 1] as number;
    const numeric = column.kind === 'numeric';
    table.set(
      [
        at.bins + index * rows * bins.BYTES_PER_ELEMENT,
        CELL_BYTES * first,
        CELL_BYTES * past,
        COUNT_BYTES * first,
        COUNT_BYTES * past,
        numeric ? column.bounds.length : -1,
        numeric && column.missing === 'last' ? 1 : 0,
      ],
      COLUMN.length * index,
    );
  });
  return {
    memory,
    threads,
    rows,
    columns: columns.length,
    cells,
    binBytes: bins.BYTES_PER_ELEMENT,
    counted,
    shrunk: parameters.lambdaL1 > 0,
    chosen: parameters.extraTrees,
    at,
    histogramBytes,
    histograms,
  };
}

/** Where a histogram begins, in bytes. */
export const histogramAt = ({ at, histogramBytes }: ColumnSpace, histogram: number): number =>
  at.histograms + histogram * histogramBytes;

/** Where its numbers of rows begin, which it has if rows are counted. */
export const countsAt = (space: ColumnSpace, histogram: number): number =>
  histogramAt(space, histogram) + space.cells * CELL_BYTES;

/** Leaves that may be split hold one each, and one more is made before the node above gives its own away. */
function mostHistograms(rows: number, { numLeaves, maxDepth, minDataInLeaf }: LeafwiseParameters): number {
  const byRows = Math.max(1, Math.floor(rows / (2 * minDataInLeaf)));
  const byDepth = maxDepth > 0 ? 2 ** (maxDepth - 1) : Number.POSITIVE_INFINITY;
  return Math.min(numLeaves, byRows, byDepth) + 1;
}

const lines = (bytes: number): number => Math.ceil(bytes / LINE_BYTES) * LINE_BYTES;
