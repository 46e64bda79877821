import type { BinnedMatrix, ColumnBins } from './bins.ts';
import type { LeafwiseParameters } from './boost-settings.ts';
import { type ColumnSpace, countsAt, FOUND, histogramAt, NODE, STEP, WANTED } from './column-space.ts';
import { columnWork } from './column-work.ts';
import { CELL_BYTES, COUNT_BYTES, type Derivatives } from './histogram.ts';
import { type BestSplit, better, gainToBeat, type NodeSums, noSplit, searchCategorical } from './split.ts';

/** A node whose histogram is to be searched for its best split. */
export interface SearchedNode {
  readonly sums: NodeSums;
  /** For each drawn column what is wanted of it, see {@link WANTED}. */
  readonly wanted: ArrayLike<number>;
}

/** The histograms of a training, and the threads that fill and search them, of which this one leads. */
export interface ColumnTeam {
  /** Rows in the order of the leaves; what `step` sums. */
  readonly listed: Int32Array;
  /** Begins a tree: all histograms are free again. @param columns those it may use, ascending */
  begin(columns: Int32Array): void;
  /**
   * Sums the listed rows `from … to` into a histogram of their own and, below the root, takes it away from the
   * parent's, which becomes that of the other child. Both are searched as wanted; null: not at all.
   *
   * @returns the new histogram, and the best splits of both
   */
  step(
    from: number,
    to: number,
    parent: number | null,
    child: SearchedNode | null,
    other: SearchedNode | null,
  ): { readonly histogram: number; readonly child: BestSplit; readonly other: BestSplit };
  /** Takes a histogram back. */
  free(histogram: number): void;
}

/** Values from which a part of the columns is worth taking from the others. */
const PART_VALUES = 20_000;
/** Parts a thread, so that one that is held up leaves more to the others. */
const PARTS_PER_THREAD = 8;

export function columnTeam(
  space: ColumnSpace,
  binned: BinnedMatrix,
  { gradients, hessians }: Derivatives,
  rules: LeafwiseParameters,
): ColumnTeam {
  const { at, columns } = space;
  const { buffer } = space.memory;
  const step = new Int32Array(buffer, at.step, STEP.length);
  const drawn = new Int32Array(buffer, at.drawn, columns);
  const wanted = new Int32Array(buffer, at.wanted, 2 * columns);
  const listed = new Int32Array(buffer, at.listed, space.rows);
  const pairs = new Float64Array(buffer, at.pairs, 2 * space.rows);
  const nodes = new Float64Array(buffer, at.nodes, 2 * NODE.length);
  const found = new Float64Array(buffer, at.found, 2 * space.threads * FOUND.length);
  const numbers = new Float64Array(buffer);
  const own = columnWork(space, 0);
  const hasCategories = binned.columns.some(({ kind }) => kind === 'categorical');
  for (const place of [0, NODE.length]) {
    nodes[place + NODE.leastCount] = rules.minDataInLeaf;
    nodes[place + NODE.leastHessian] = rules.minSumHessian;
    nodes[place + NODE.lambdaL1] = rules.lambdaL1;
    nodes[place + NODE.lambdaL2] = rules.lambdaL2;
  }
  let tree = drawn;
  const pool: number[] = [];

  const ask = (node: 0 | 1, searched: SearchedNode | null): void => {
    if (searched) {
      const { gradient, hessian, count } = searched.sums;
      const place = node * NODE.length;
      nodes[place + NODE.nodeGradient] = gradient;
      nodes[place + NODE.nodeHessian] = hessian;
      nodes[place + NODE.nodeCount] = count;
      nodes[place + NODE.own] = gainToBeat(searched.sums, rules);
    }
    for (let index = 0; index < tree.length; index++) {
      wanted[node * columns + (tree[index] as number)] = searched
        ? (searched.wanted[index] as number)
        : WANTED.none;
    }
  };
  const searchCategories = (histogram: number, { sums: node, wanted: asked }: SearchedNode): BestSplit => {
    const start = histogramAt(space, histogram);
    let best = noSplit();
    tree.forEach((column, index) => {
      const bins = binned.columns[column] as ColumnBins;
      if (bins.kind !== 'categorical' || asked[index] === WANTED.none) return;
      const first = binned.offsets[column] as number;
      const cell = (start + CELL_BYTES * first) / Float64Array.BYTES_PER_ELEMENT;
      const counts = space.counted ? countsAt(space, histogram) / COUNT_BYTES + first : -1;
      const one = noSplit();
      searchCategorical(one, numbers, cell, counts, column, bins, node, rules);
      best = better(best, one);
    });
    return best;
  };
  const bestOf = (node: 0 | 1, histogram: number, searched: SearchedNode | null): BestSplit => {
    if (!searched) return noSplit();
    let best = hasCategories ? searchCategories(histogram, searched) : noSplit();
    for (let thread = 0; thread < space.threads; thread++) {
      const place = (2 * thread + node) * FOUND.length;
      const value = (name: number): number => found[place + name] as number;
      if (value(FOUND.step) !== step[STEP.number] || value(FOUND.column) < 0) continue;
      best = better(best, {
        gain: value(FOUND.gain),
        column: value(FOUND.column),
        bin: value(FOUND.bin),
        missingLeft: value(FOUND.missingLeft) === 1,
        leftBins: null,
        left: {
          gradient: value(FOUND.gradient),
          hessian: value(FOUND.hessian),
          count: value(FOUND.count),
        },
      });
    }
    return best;
  };

  return {
    listed,
    begin(chosen) {
      tree = drawn.subarray(0, chosen.length);
      tree.set(chosen);
      pool.length = 0;
      for (let histogram = space.histograms - 1; histogram >= 0; histogram--) pool.push(histogram);
    },
    step(from, to, parent, child, other) {
      const histogram = pool.pop();
      if (histogram === undefined)
        throw new RangeError('more histograms were asked for than leaves may hold');
      for (let place = from; place < to; place++) {
        const row = listed[place] as number;
        pairs[2 * place] = gradients[row] as number;
        pairs[2 * place + 1] = hessians ? (hessians[row] as number) : 1;
      }
      ask(0, child);
      ask(1, other);
      // Cells of the columns' histograms are looked at as rows are.
      const values = (to - from + space.cells / columns) * tree.length;
      const parts = partsOf(space.threads, values, tree.length);
      step[STEP.number] = (step[STEP.number] as number) + 1;
      step[STEP.parts] = parts;
      step[STEP.drawn] = tree.length;
      step[STEP.from] = from;
      step[STEP.to] = to;
      step[STEP.child] = histogram;
      step[STEP.parent] = parent ?? -1;
      Atomics.store(step, STEP.pending, parts);
      // From here on other threads take parts; what they read stands above.
      Atomics.store(step, STEP.left, parts);
      if (parts > 1) {
        Atomics.add(step, STEP.bell, 1);
        Atomics.notify(step, STEP.bell);
      }
      own.work();
      for (let left = Atomics.load(step, STEP.pending); left > 0; left = Atomics.load(step, STEP.pending)) {
        waitWhile(step, STEP.pending, left);
      }
      if (step[STEP.failed] === 1) throw new Error('a thread that helped with a training has failed');
      return { histogram, child: bestOf(0, histogram, child), other: bestOf(1, parent ?? -1, other) };
    },
    free(histogram) {
      pool.push(histogram);
    },
  };
}

/** How often a thread looks before it sleeps: to be woken takes longer than what others do between two steps. */
const LOOKS = 20_000;

/** Waits until an integer that all threads see is another, or for a notice. */
function waitWhile(integers: Int32Array, index: number, value: number): void {
  for (let look = 0; look < LOOKS; look++) if (Atomics.load(integers, index) !== value) return;
  Atomics.wait(integers, index, value);
}

function partsOf(threads: number, values: number, columns: number): number {
  if (threads === 1) return 1;
  const worth = Math.floor(values / PART_VALUES);
  return Math.max(1, Math.min(columns, threads * PARTS_PER_THREAD, worth));
}

/** What a thread does that helps another with a training: takes parts of its steps until it is over. */
export function helpColumns(space: ColumnSpace, thread: number): void {
  const step = new Int32Array(space.memory.buffer, space.at.step, STEP.length);
  try {
    const { work } = columnWork(space, thread);
    while (Atomics.load(step, STEP.over) === 0) {
      const bell = Atomics.load(step, STEP.bell);
      work();
      if (Atomics.load(step, STEP.over) === 0) waitWhile(step, STEP.bell, bell);
    }
  } catch (error) {
    // The thread that leads would wait for ever for a part that was taken.
    Atomics.store(step, STEP.failed, 1);
    Atomics.store(step, STEP.pending, 0);
    Atomics.notify(step, STEP.pending);
    throw error;
  }
}

/** Makes memory fit for another training on the same bins. */
export function beginColumns({ memory, at }: ColumnSpace): void {
  Atomics.store(new Int32Array(memory.buffer, at.step, STEP.length), STEP.over, 0);
}

/** Lets the threads go that help with a training. */
export function endColumns({ memory, at }: ColumnSpace): void {
  const step = new Int32Array(memory.buffer, at.step, STEP.length);
  Atomics.store(step, STEP.over, 1);
  Atomics.add(step, STEP.bell, 1);
  Atomics.notify(step, STEP.bell);
}
