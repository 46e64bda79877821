import type { CovariateSet } from '../pasture/covariates.ts';
import { caseFile, mainCase } from './covariate-cases.ts';
import { STATES_OUT, type StateOutRow, scoreStates, writeStatesOut } from './leave-one-state-out.ts';
import { OUT_OF_FOLD, writeOutOfFold } from './out-of-fold.ts';
import type { OutOfFoldRow } from './results.ts';
import { caseResults } from './scored-cases.ts';
import { type EnsembleFacts, SCORES, writeScores } from './scores.ts';

/** What a run says of photos that it has not seen. */
export interface UnseenRows {
  readonly outOfFold: readonly OutOfFoldRow[];
  /** Of photos whose State was held out; null where none was. */
  readonly statesOut: readonly StateOutRow[] | null;
}

/** The same by one set of covariates. */
export interface CaseRows extends UnseenRows {
  readonly covariates: CovariateSet;
}

/** Everything that a run is scored by. */
export interface PredictedRows extends UnseenRows {
  /** Of a run with covariates: by each set of them, the largest first, and last without any; empty of others. */
  readonly cases: readonly CaseRows[];
  /** Of the photos by their id, as the data's table has them. */
  readonly imagePaths: ReadonlyMap<string, string | null>;
  readonly ensemble?: EnsembleFacts;
}

/**
 * Writes `oof.csv`, where States were held out `leave-one-state-out.csv`, both once more for each set of covariates and
 * without any, and `scores.json`. A set that no photo is answered by is left out.
 *
 * @returns the names of the files
 */
export async function writePredictedRows(run: string, predicted: PredictedRows): Promise<string[]> {
  const { imagePaths, ensemble } = predicted;
  const names: string[] = [];
  const write = async (
    { outOfFold, statesOut }: UnseenRows,
    name: (file: string) => string,
  ): Promise<void> => {
    await writeOutOfFold(run, outOfFold, imagePaths, name(OUT_OF_FOLD));
    names.push(name(OUT_OF_FOLD));
    if (!statesOut) return;
    await writeStatesOut(run, statesOut, name(STATES_OUT));
    names.push(name(STATES_OUT));
  };
  await write(predicted, (file) => file);
  // Of a fold's training part, or without a State, there may be too few readings for a model with them.
  const answered = predicted.cases
    .filter(({ outOfFold }) => outOfFold.length > 0)
    .map((one) => ({ ...one, statesOut: one.statesOut && one.statesOut.length > 0 ? one.statesOut : null }));
  for (const one of answered) await write(one, (file) => caseFile(file, one.covariates));
  const cases =
    answered.length === 0
      ? null
      : caseResults(
          answered.map(({ covariates, outOfFold, statesOut }) => ({
            covariates,
            rows: outOfFold,
            leaveOneStateOut: statesOut && scoreStates(statesOut),
          })),
        );
  const main = mainCase(cases);
  await writeScores(
    run,
    main?.rows ?? predicted.outOfFold,
    main ? main.leaveOneStateOut : predicted.statesOut && scoreStates(predicted.statesOut),
    { cases, ...(ensemble && { ensemble }) },
  );
  return [...names, SCORES];
}

/** Of rows by several sets, those of each photo by the first set that answers it. */
export function firstAnswered<Row extends { readonly imageId: string }>(
  byCase: readonly (readonly Row[])[],
): Row[] {
  const found = new Map<string, Row>();
  for (const rows of byCase) {
    for (const row of rows) if (!found.has(row.imageId)) found.set(row.imageId, row);
  }
  // Photos stay in the order of the last case, which has all of them.
  return (byCase.at(-1) ?? []).map(({ imageId }) => found.get(imageId) as Row);
}
