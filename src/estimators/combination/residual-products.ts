import { TARGET_WEIGHTS, type Targets, targetsToArray } from '../../pasture/targets.ts';

/**
 * Products of the members' errors, summed over photos, for each target: `[target][i][j]` = Σ e_i e_j, grams². With
 * weights that sum to 1 the squared error of the weighted mean is wᵀGw, so everything that fits weights needs no
 * more than these sums.
 */
export type ResidualProducts = readonly (readonly (readonly number[])[])[];

/**
 * Error products of members on some photos.
 *
 * @param members predicted masses, grams, `[member][photo]`
 * @param observed measured masses, grams, `[photo]`; one that was not measured (NaN) tells of no error
 * @param centred whether each member's mean error of a target is taken off first, as for correlations
 */
export function residualProducts(
  members: readonly (readonly Targets[])[],
  observed: readonly Targets[],
  centred = false,
): ResidualProducts {
  const truth = observed.map(targetsToArray);
  const errors = members.map((predicted) => predicted.map(targetsToArray));
  return TARGET_WEIGHTS.map((_, target) => {
    const photos = truth.flatMap((row, photo) => (Number.isNaN(row[target]) ? [] : [photo]));
    const columns = errors.map((rows) => {
      const column = photos.map((photo) => (rows[photo]?.[target] ?? 0) - (truth[photo]?.[target] ?? 0));
      const mean = centred ? column.reduce((sum, error) => sum + error, 0) / Math.max(1, column.length) : 0;
      return column.map((error) => error - mean);
    });
    return columns.map((a) =>
      columns.map((b) => a.reduce((sum, error, photo) => sum + error * (b[photo] ?? 0), 0)),
    );
  });
}

/** The metric's products: those of the targets, added with the weights of the targets in the metric. `[i][j]` */
export function metricProducts(products: ResidualProducts): number[][] {
  const size = products[0]?.length ?? 0;
  return Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_, j) =>
      products.reduce(
        (sum, ofTarget, target) => sum + (TARGET_WEIGHTS[target] ?? 0) * (ofTarget[i]?.[j] ?? 0),
        0,
      ),
    ),
  );
}

/**
 * How alike the members err: the correlation of their errors, all targets together with the metric's weights. A
 * member without errors correlates with none but itself. `[i][j]`
 */
export function residualCorrelations(
  members: readonly (readonly Targets[])[],
  observed: readonly Targets[],
): number[][] {
  const products = metricProducts(residualProducts(members, observed, true));
  const size = (index: number): number => Math.sqrt(products[index]?.[index] ?? 0);
  return products.map((row, i) =>
    row.map((product, j) => {
      const scale = size(i) * size(j);
      return i === j ? 1 : scale > 0 ? product / scale : 0;
    }),
  );
}
