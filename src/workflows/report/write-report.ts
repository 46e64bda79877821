import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { FOLDS } from '../../runs/out-of-fold.ts';
import type { RunResults } from '../../runs/results.ts';

/** Where a run's report lies. */
export const reportPath = (run: string): string => join(run, 'report.html');

/** Writes a report of a run's results. Plots bring a DOM along, which is loaded only now. */
export async function writeRunReport(run: string, path: string, results: RunResults): Promise<void> {
  const { writeReport } = await import('../../report/index.ts');
  const facts = await stat(join(run, FOLDS)).catch(() => null);
  const date = facts ? `, ${facts.mtime.toISOString().slice(0, 10)}` : '';
  await writeReport(path, results, {
    title: `Pasture biomass: ${basename(resolve(run))} (${results.recipeName}${date})`,
  });
}

/** Writes the report of a finished run that has none any more. */
export async function writeMissingReport(run: string, results: RunResults): Promise<void> {
  if (!existsSync(reportPath(run))) await writeRunReport(run, reportPath(run), results);
}
