import type { Matrix } from '../../ground/matrix.ts';
import { TARGET_WEIGHTS } from '../../pasture/targets.ts';

/**
 * What trees are grown for: green, dead and clover themselves, or three mixtures of them in which squared
 * errors add up to the competition metric's, so that splits are chosen for what is scored.
 */
export const OUTPUT_BASES = ['components', 'metric'] as const;
export type OutputBasisName = (typeof OUTPUT_BASES)[number];

/** A change of basis of (green, dead, clover) and back. Rows of 3. */
export interface OutputBasis {
  readonly toOutputs: readonly (readonly number[])[];
  readonly toComponents: readonly (readonly number[])[];
}

const COMPONENTS = 3;
const IDENTITY = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

/** Each of the five masses as a sum of green, dead and clover. */
const MASSES = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [1, 0, 1],
  [1, 1, 1],
];

/**
 * The basis of a name. With A the sums that make five masses of three components and W the metric's weights,
 * AᵀWA = LLᵀ; the outputs are Lᵀ · components, so that |error of outputs|² = Σ w · (error of mass)².
 */
export function outputBasis(name: OutputBasisName): OutputBasis {
  if (name === 'components') return { toOutputs: IDENTITY, toComponents: IDENTITY };
  const products = IDENTITY.map((_, i) =>
    IDENTITY.map((_, j) =>
      MASSES.reduce((sum, mass, at) => sum + (TARGET_WEIGHTS[at] ?? 0) * (mass[i] ?? 0) * (mass[j] ?? 0), 0),
    ),
  );
  const upper = choleskyTransposed(products);
  return { toOutputs: upper, toComponents: inverseOfUpper(upper) };
}

/** Multiplies every row of three by a 3 × 3 matrix. */
export function changeBasis(table: Matrix, matrix: readonly (readonly number[])[]): Matrix {
  const data = new Float64Array(table.data.length);
  for (let row = 0; row < table.rows; row++) {
    const from = table.data.subarray(row * COMPONENTS, (row + 1) * COMPONENTS);
    matrix.forEach((weights, output) => {
      data[row * COMPONENTS + output] = weights.reduce(
        (sum, weight, at) => sum + weight * (from[at] as number),
        0,
      );
    });
  }
  return { ...table, data };
}

/** Lᵀ of a symmetric positive matrix LLᵀ. */
function choleskyTransposed(matrix: readonly (readonly number[])[]): number[][] {
  const upper = matrix.map((row) => row.map(() => 0));
  matrix.forEach((row, i) => {
    for (let j = 0; j <= i; j++) {
      let rest = row[j] ?? 0;
      for (let k = 0; k < j; k++) rest -= (upper[k]?.[i] ?? 0) * (upper[k]?.[j] ?? 0);
      const target = upper[j];
      if (target) target[i] = i === j ? Math.sqrt(rest) : rest / (target[j] ?? 1);
    }
  });
  return upper;
}

function inverseOfUpper(upper: readonly (readonly number[])[]): number[][] {
  const size = upper.length;
  const inverse = upper.map((row) => row.map(() => 0));
  for (let column = 0; column < size; column++) {
    for (let row = column; row >= 0; row--) {
      let rest = row === column ? 1 : 0;
      for (let k = row + 1; k <= column; k++) rest -= (upper[row]?.[k] ?? 0) * (inverse[k]?.[column] ?? 0);
      const target = inverse[row];
      if (target) target[column] = rest / (upper[row]?.[row] ?? 1);
    }
  }
  return inverse;
}
