import { type CovariateSet, caseFolder } from '../pasture/covariates.ts';
import type { CaseResults, OutOfFoldRow, RunResults } from './results.ts';

/**
 * The file of a run that holds of one set of covariates what `file` holds of every photo by the most that is known of it:
 * `oof-without.csv` of photos alone, `oof-with-height.csv`.
 */
export function caseFile(file: string, set: CovariateSet): string {
  const ending = set.length === 0 ? 'without' : caseFolder(set);
  return file.replace(/\.csv$/, `-${ending}.csv`);
}

/** What {@link caseFile} calls files. */
export const CASE_FILES = /^(oof|leave-one-state-out)-(without|with-.+)\.csv$/;

/** Folder of a stacking ensemble's regression. */
const STACK_FOLDER = 'stack';

/** The same where photos are answered by a set of covariates. */
export const stackFolderOf = (set: CovariateSet): string =>
  set.length === 0 ? STACK_FOLDER : `${STACK_FOLDER}-${caseFolder(set)}`;

/** What {@link stackFolderOf} calls folders. */
export const STACK_FOLDERS = new RegExp(`^${STACK_FOLDER}(-with-.+)?$`);

/** The case that a run is known by: that with all its covariates, or of the largest set that photos are answered by. */
export const mainCase = (cases: readonly CaseResults[] | null | undefined): CaseResults | null =>
  cases?.[0] ?? null;

/** The cases with covariates. */
export const measuredCases = ({ cases }: Pick<RunResults, 'cases'>): readonly CaseResults[] =>
  cases?.filter(({ covariates }) => covariates.length > 0) ?? [];

/** What a run says of photos alone: all of it, but of a run with covariates. */
export function withoutCovariates({
  rows,
  outOfFold,
  leaveOneStateOut,
  cases,
}: RunResults): Pick<CaseResults, 'rows' | 'outOfFold' | 'leaveOneStateOut'> {
  const without = cases?.find(({ covariates }) => covariates.length === 0);
  return without ?? { rows, outOfFold, leaveOneStateOut };
}

/** The rows that a run's headline scores are of: never answers with covariates and without together. */
export const headlineRows = ({ rows, cases }: Pick<RunResults, 'rows' | 'cases'>): readonly OutOfFoldRow[] =>
  mainCase(cases)?.rows ?? rows;
