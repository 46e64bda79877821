import type { CaseResults } from './results.ts';
import { scoreRows } from './scores.ts';

/** Cases with their scores, and those of the same photos without covariates. */
export function caseResults(
  cases: readonly Pick<CaseResults, 'covariates' | 'rows' | 'leaveOneStateOut'>[],
): CaseResults[] {
  const without = new Map(
    cases.find(({ covariates }) => covariates.length === 0)?.rows.map((row) => [row.imageId, row] as const),
  );
  return cases.map((one) => {
    const same = one.rows.flatMap(({ imageId }) => without.get(imageId) ?? []);
    return {
      ...one,
      outOfFold: scoreRows(one.rows),
      withoutThem: one.covariates.length > 0 ? scoreRows(same) : null,
    };
  });
}
