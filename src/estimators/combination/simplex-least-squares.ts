import { CholeskyDecomposition, Matrix as Dense } from 'ml-matrix';

/** Least ridge: members that agree in every error then share their weight evenly. */
const LEAST_RIDGE = 1e-9;

/** Gradients closer than this share of the error to the multiplier count as equal. */
const TIE = 1e-10;

/**
 * Weights of least squared error among all that are not negative and sum to 1: the exact minimum of wᵀGw, found by
 * an active-set method (Lawson & Hanson, Solving Least Squares Problems, 1974, chapter 23, with the sum as an
 * equality). Members enter one at a time where the gradient asks for them; a step that would make a weight negative
 * stops at 0 and the member leaves.
 *
 * @param products G, `[i][j]` = Σ weight · e_i · e_j over all errors of members i and j; symmetric, not negative
 *   definite
 * @param shrink pull towards equal weights: shrink · (mean of G's diagonal) · Σ (w − 1/members)² is added to the error
 * @returns one weight a member
 * @throws RangeError when there is no member or a product is not finite
 */
export function simplexLeastSquares(products: readonly (readonly number[])[], shrink = 0): number[] {
  const size = products.length;
  if (size === 0) throw new RangeError('there is no member to weigh');
  if (!products.flat().every(Number.isFinite)) throw new RangeError('an error product is not finite');
  const meanDiagonal = products.reduce((sum, row, i) => sum + (row[i] ?? 0), 0) / size;
  if (!(meanDiagonal > 0)) return products.map(() => 1 / size);
  const ridge = Math.max(LEAST_RIDGE, shrink);
  const matrix = products.map((row, i) =>
    row.map((value, j) => (i === j ? value + ridge * meanDiagonal : value)),
  );
  const first = smallestDiagonal(matrix);
  let support = [first];
  let weights = matrix.map<number>((_, member) => Number(member === first));
  // Every round lowers the error over a support that has not been met before, of which there are finitely many.
  for (;;) {
    const entering = mostWanted(matrix, support, weights, TIE * meanDiagonal);
    if (entering === null) return weights;
    const next = descend(matrix, [...support, entering], weights);
    // Rounding can ask for a member that then has nothing to give.
    if (!(squaredError(matrix, next.weights) < squaredError(matrix, weights))) return weights;
    ({ support, weights } = next);
  }
}

function smallestDiagonal(matrix: readonly (readonly number[])[]): number {
  const diagonal = matrix.map((row, i) => row[i] ?? 0);
  return diagonal.indexOf(Math.min(...diagonal));
}

/** Goes to the minimum on the support, dropping members whose weight would turn negative on the way. */
function descend(
  matrix: readonly (readonly number[])[],
  from: readonly number[],
  start: readonly number[],
): { support: number[]; weights: number[] } {
  let support = [...from];
  let weights = [...start];
  for (;;) {
    const goal = minimumOn(matrix, support);
    let step = 1;
    let leaving: number | null = null;
    for (const member of support) {
      const now = weights[member] ?? 0;
      const then = goal[member] ?? 0;
      if (then >= 0 || now / (now - then) >= step) continue;
      step = now / (now - then);
      leaving = member;
    }
    weights = weights.map((now, member) =>
      member === leaving ? 0 : now + step * ((goal[member] ?? 0) - now),
    );
    if (leaving === null) return { support, weights };
    support = support.filter((member) => member !== leaving);
  }
}

/** wᵀGw */
function squaredError(matrix: readonly (readonly number[])[], weights: readonly number[]): number {
  return weights.reduce((sum, weight, i) => sum + weight * (along(matrix, weights)[i] ?? 0), 0);
}

/** Gw, half the gradient of the squared error. */
function along(matrix: readonly (readonly number[])[], weights: readonly number[]): number[] {
  return matrix.map((row) => row.reduce((sum, value, j) => sum + value * (weights[j] ?? 0), 0));
}

/** The minimum with sum 1 and no bound on the sign: G⁻¹1 / 1ᵀG⁻¹1 on the support, 0 elsewhere. */
function minimumOn(matrix: readonly (readonly number[])[], support: readonly number[]): number[] {
  const part = new Dense(support.map((i) => support.map((j) => matrix[i]?.[j] ?? 0)));
  const solution = new CholeskyDecomposition(part).solve(Dense.ones(support.length, 1)).to1DArray();
  const sum = solution.reduce((total, value) => total + value, 0);
  const weights = matrix.map(() => 0);
  support.forEach((member, index) => {
    weights[member] = (solution[index] ?? 0) / sum;
  });
  return weights;
}

/** The member outside the support whose entry lowers the error fastest; null when none does. */
function mostWanted(
  matrix: readonly (readonly number[])[],
  support: readonly number[],
  weights: readonly number[],
  tie: number,
): number | null {
  const gradient = along(matrix, weights);
  const error = squaredError(matrix, weights);
  let best: number | null = null;
  gradient.forEach((value, member) => {
    if (support.includes(member) || value >= error - tie) return;
    if (best === null || value < (gradient[best] ?? 0)) best = member;
  });
  return best;
}
