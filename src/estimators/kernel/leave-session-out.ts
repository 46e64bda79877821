import { CholeskyDecomposition, Matrix as Dense } from 'ml-matrix';
import { SwardError } from '../../ground/errors.ts';
import { fromDense, toDense } from '../../ground/linear-algebra.ts';
import type { Matrix } from '../../ground/matrix.ts';
import { invertPositiveDefinite } from '../../ground/positive-definite.ts';

/** A kernel regression with a free mean: f(x) = mean + k(x)ᵀ dual, for several outputs at once. */
export interface KernelSolution {
  /** α, [photos, outputs] */
  readonly dual: Matrix;
  /** [outputs] */
  readonly mean: Float64Array;
  /** What each photo is predicted as by the same regression without its session. [photos, outputs] */
  withoutSessions(sessions: readonly string[]): Matrix;
}

/**
 * Solves kernel ridge regression with an unpenalised mean. With K̃ = K + λS⁻¹ and
 * C = K̃⁻¹ − K̃⁻¹1(1ᵀK̃⁻¹1)⁻¹1ᵀK̃⁻¹ the dual is α = CY. Every leave-one-session-out prediction then comes in
 * closed form: the residual of a session g left out is (C_gg)⁻¹ α_g (the block form of Dubrule's formula for
 * cross-validating kriging with unknown mean, Mathematical Geology 15, 1983).
 *
 * @param kernel K, [photos, photos], symmetric
 * @param noise diagonal of λS⁻¹, positive
 * @param values Y, [photos, outputs]
 * @throws SwardError when the system is not positive definite in double precision, or (by `withoutSessions`)
 *   when a session is all there is
 */
export function solveKernel(kernel: Matrix, noise: readonly number[], values: Matrix): KernelSolution {
  const projector = meanFreeInverse(kernel, noise);
  const observed = toDense(values);
  const dual = projector.matrix.mmul(observed);
  return {
    dual: fromDense(dual),
    mean: Float64Array.from(projector.meanWeights.mmul(observed).getRow(0)),
    withoutSessions(sessions) {
      const without = values.data.slice();
      for (const photos of membersOf(sessions)) {
        if (photos.length === values.rows) {
          throw new SwardError('the only session cannot be left out: nothing else tells its mean');
        }
        const residual = sessionResidual(projector.matrix, dual, photos);
        photos.forEach((photo, row) => {
          for (let output = 0; output < values.columns; output++) {
            const at = photo * values.columns + output;
            without[at] = (values.data[at] as number) - residual.get(row, output);
          }
        });
      }
      return { rows: values.rows, columns: values.columns, data: without };
    },
  };
}

/** C, and the row vector of weights (1ᵀK̃⁻¹1)⁻¹1ᵀK̃⁻¹ that gives the mean. */
function meanFreeInverse(
  kernel: Matrix,
  noise: readonly number[],
): { readonly matrix: Dense; readonly meanWeights: Dense } {
  const system = kernel.data.slice();
  for (let i = 0; i < kernel.rows; i++) {
    system[i * kernel.rows + i] = (system[i * kernel.rows + i] as number) + (noise[i] ?? 0);
  }
  const inverted = invertPositiveDefinite({ ...kernel, data: system });
  if (!inverted) throw new SwardError('the ridge system is singular; use a larger penalty');
  const inverse = toDense(inverted);
  const rowSums = Dense.columnVector(inverse.sum('row'));
  const total = rowSums.sum();
  const meanWeights = rowSums.transpose().div(total);
  return { matrix: inverse.sub(rowSums.mmul(meanWeights)), meanWeights };
}

function sessionResidual(projector: Dense, dual: Dense, photos: readonly number[]): Dense {
  const own = projector.selection([...photos], [...photos]);
  // Rounding leaves the two halves apart in the last digit, which the solver would take for another matrix.
  const symmetric = Dense.add(own, own.transpose()).div(2);
  const cholesky = new CholeskyDecomposition(symmetric);
  if (!cholesky.isPositiveDefinite()) {
    throw new SwardError('a session cannot be left out in double precision; use a larger penalty');
  }
  const columns = Array.from({ length: dual.columns }, (_, column) => column);
  return cholesky.solve(dual.selection([...photos], columns));
}

/** The photos of each session. */
function membersOf(sessions: readonly string[]): number[][] {
  const members = new Map<string, number[]>();
  sessions.forEach((session, photo) => {
    const photos = members.get(session) ?? [];
    photos.push(photo);
    members.set(session, photos);
  });
  return [...members.values()];
}
