import { groupBySession, type VarianceComponents, varianceComponents } from '../pasture/intervals/index.ts';

/** How a run errs on visits it has not seen, in the square of the unit its estimates are given in. */
export interface ResidualVariances extends VarianceComponents {
  /** Sessions and photos that this is known from: few say little. */
  readonly sessions: number;
  readonly photos: number;
}

/**
 * The variance of residuals between and within sessions, by {@link varianceComponents} (ANOVA by unweighted means, mean
 * known to be 0).
 *
 * @param rows residuals (measured − estimated) of photos whose session had no part in the model that estimated them
 * @throws RangeError without rows
 */
export function residualVariances(
  rows: readonly { readonly session: string; readonly residual: number }[],
): ResidualVariances {
  if (rows.length === 0) throw new RangeError('variances need residuals');
  const sessions = groupBySession(rows);
  const residuals = sessions.map((session) => session.map(({ residual }) => residual));
  return { ...varianceComponents(residuals), sessions: sessions.length, photos: rows.length };
}

/** The same variances of estimates in another unit, as kg DM/ha where they were grams. @param factor new units an old one */
export function inUnit(variances: ResidualVariances, factor: number): ResidualVariances {
  return {
    ...variances,
    betweenSessions: variances.betweenSessions * factor ** 2,
    withinSessions: variances.withinSessions * factor ** 2,
  };
}
