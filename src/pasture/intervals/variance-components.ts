import { mean, squaredDeviations } from '../../ground/statistics.ts';

/** How residuals vary: by what a session's photos err by in common, and by what each errs by besides. */
export interface VarianceComponents {
  /** Variance of what the photos of a session err by in common. */
  readonly betweenSessions: number;
  /** Variance of what each photo errs by besides. */
  readonly withinSessions: number;
}

/**
 * Splits the variance of residuals into a part that sessions have in common and a part that photos have of their own,
 * by the moments of a one-way layout with known mean 0, sessions counting alike (ANOVA by unweighted means; Searle,
 * Casella & McCulloch, Variance Components, 1992, ch. 3). Residuals have mean 0 where nothing is wrong; where it is not,
 * a run errs by it in every session, and it belongs to the error in common.
 *
 * @param sessions residuals of each session, at least one each
 */
export function varianceComponents(sessions: readonly (readonly number[])[]): VarianceComponents {
  const means = sessions.map(mean);
  const squares = sessions.map((values, session) => squaredDeviations(values, means[session] as number));
  const freedom = sessions.reduce((sum, { length }) => sum + length, 0) - sessions.length;
  // With one photo a session nothing tells the parts apart; the session then has it all.
  const withinSessions = freedom > 0 ? mean(squares) * (sessions.length / freedom) : 0;
  const between = means.map(
    (value, session) => value ** 2 - withinSessions / (sessions[session] as readonly number[]).length,
  );
  return { betweenSessions: Math.max(0, mean(between)), withinSessions };
}
