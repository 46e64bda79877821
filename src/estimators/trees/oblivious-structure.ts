import type { RandomStream } from '../../ground/random.ts';
import type { BinnedMatrix, NumericBins } from './bins.ts';
import type { ObliviousParameters } from './boost-settings.ts';

/** A level of a symmetric tree: rows whose bin is above `bin` pass. */
interface LevelSplit {
  readonly column: number;
  readonly bin: number;
  readonly gain: number;
}

/** What a structure is grown from. */
interface StructureData {
  readonly binned: BinnedMatrix;
  /** Rows of every column in the order of their bins, see {@link orderColumns}. */
  readonly order: Int32Array;
  /** Negative gradients times weights, `[row · outputs + output]`. */
  readonly pulls: Float64Array;
  readonly weights: Float64Array;
  readonly outputs: number;
}

interface StructureRules {
  readonly depth: number;
  readonly l2: number;
  readonly scoreFunction: ObliviousParameters['scoreFunction'];
  /** Deviation of the noise added to each column's best score. */
  readonly noise: number;
  /** Columns each level may use. */
  readonly columns: () => Int32Array;
}

/** Sorts every column's rows by bin, by counting: `order[column * rows + i]`. */
export function orderColumns({ rows, columns, bins, offsets }: BinnedMatrix): Int32Array {
  const order = new Int32Array(rows * columns.length);
  for (let column = 0; column < columns.length; column++) {
    const start = column * rows;
    const next = new Int32Array((offsets[column + 1] as number) - (offsets[column] as number) + 1);
    for (let row = 0; row < rows; row++) {
      const bin = bins[start + row] as number;
      next[bin + 1] = (next[bin + 1] as number) + 1;
    }
    for (let bin = 1; bin < next.length; bin++) next[bin] = (next[bin] as number) + (next[bin - 1] as number);
    for (let row = 0; row < rows; row++) {
      const bin = bins[start + row] as number;
      const at = next[bin] as number;
      order[start + at] = row;
      next[bin] = at + 1;
    }
  }
  return order;
}

/**
 * Chooses the splits of a symmetric tree greedily, level by level (Prokhorenkova et al. 2018, CatBoost). A
 * histogram of every leaf would have more cells than there are rows, so the cells are visited as the rows of
 * a column pass from right to left in the order of their bins, which updates one leaf's term at a time.
 *
 * @returns the splits and the leaf of every row
 */
export function growStructure(
  data: StructureData,
  rules: StructureRules,
  random: RandomStream,
): { splits: LevelSplit[]; leaves: Int32Array } {
  const { binned } = data;
  const leaves = new Int32Array(binned.rows);
  const splits: LevelSplit[] = [];
  for (let level = 0; level < rules.depth; level++) {
    const sweep = sweeper(data, leaves, 1 << level, rules);
    let best: LevelSplit | undefined;
    for (const column of rules.columns()) {
      const found = sweep(column);
      // Every column draws, so that the stream does not depend on which columns could be split.
      const shift = rules.noise > 0 ? rules.noise * random.normal() : 0;
      if (!found) continue;
      const gain = found.score + shift;
      if (!best || gain > best.gain) best = { column, bin: found.bin, gain };
    }
    if (!best) break;
    splits.push(best);
    const start = best.column * binned.rows;
    for (let row = 0; row < binned.rows; row++) {
      if ((binned.bins[start + row] as number) > best.bin)
        leaves[row] = (leaves[row] as number) | (1 << level);
    }
  }
  return { splits, leaves };
}

/** Prepares a level; the function it returns finds the best bound of a column. */
function sweeper(
  { binned, order, pulls, weights, outputs }: StructureData,
  leaves: Int32Array,
  leafCount: number,
  { l2, scoreFunction }: StructureRules,
): (column: number) => { bin: number; score: number } | null {
  const { rows, bins, columns } = binned;
  const stride = outputs + 1;
  const total = new Float64Array(leafCount * stride);
  for (let row = 0; row < rows; row++) {
    const at = (leaves[row] as number) * stride;
    for (let k = 0; k < outputs; k++)
      total[at + k] = (total[at + k] as number) + (pulls[row * outputs + k] as number);
    total[at + outputs] = (total[at + outputs] as number) + (weights[row] as number);
  }
  const left = new Float64Array(leafCount * stride);
  // Each leaf's share of Σ G²/(W + λ) and of Σ W·(G/(W + λ))².
  const explained = new Float64Array(leafCount);
  const squares = new Float64Array(leafCount);
  const startExplained = new Float64Array(leafCount);
  const startSquares = new Float64Array(leafCount);
  for (let leaf = 0; leaf < leafCount; leaf++) {
    const at = leaf * stride;
    const weight = total[at + outputs] as number;
    for (let k = 0; k < outputs; k++) {
      const pull = total[at + k] as number;
      const mean = weight > 0 ? pull / (weight + l2) : 0;
      startExplained[leaf] = (startExplained[leaf] as number) + mean * pull;
      startSquares[leaf] = (startSquares[leaf] as number) + mean * mean * weight;
    }
  }
  const isCosine = scoreFunction === 'Cosine';
  const startSum = startExplained.reduce((sum, value) => sum + value, 0);
  const startNorm = startSquares.reduce((sum, value) => sum + value, 0);
  return (column) => {
    if ((columns[column] as NumericBins).bounds.length === 0) return null;
    left.fill(0);
    explained.set(startExplained);
    squares.set(startSquares);
    let sum = startSum;
    let norm = startNorm;
    let bestScore = Number.NEGATIVE_INFINITY;
    let bestBin = -1;
    const start = column * rows;
    for (let at = 0; at < rows; at++) {
      const row = order[start + at] as number;
      const leaf = leaves[row] as number;
      const base = leaf * stride;
      const leftWeight = (left[base + outputs] as number) + (weights[row] as number);
      const rightWeight = (total[base + outputs] as number) - leftWeight;
      left[base + outputs] = leftWeight;
      const leftScale = 1 / (leftWeight + l2);
      // Rounding may leave a sliver of weight on an empty side.
      const rightScale = rightWeight > 1e-12 ? 1 / (rightWeight + l2) : 0;
      let gain = 0;
      let square = 0;
      for (let k = 0; k < outputs; k++) {
        const leftPull = (left[base + k] as number) + (pulls[row * outputs + k] as number);
        const rightPull = (total[base + k] as number) - leftPull;
        left[base + k] = leftPull;
        const leftMean = leftPull * leftScale;
        const rightMean = rightPull * rightScale;
        gain += leftMean * leftPull + rightMean * rightPull;
        square += leftMean * leftMean * leftWeight + rightMean * rightMean * rightWeight;
      }
      sum += gain - (explained[leaf] as number);
      norm += square - (squares[leaf] as number);
      explained[leaf] = gain;
      squares[leaf] = square;
      const bin = bins[start + row] as number;
      if (at + 1 < rows && (bins[start + (order[start + at + 1] as number)] as number) !== bin) {
        const score = isCosine ? (norm > 0 ? sum / Math.sqrt(norm) : 0) : sum;
        if (score > bestScore) {
          bestScore = score;
          bestBin = bin;
        }
      }
    }
    return bestBin < 0 ? null : { bin: bestBin, score: bestScore };
  };
}
