import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RunResults } from '../../runs/results.ts';

/** Where a run's report lies. */
export const reportPath = (run: string): string => join(run, 'report.html');

/** Writes a report of results. Plots bring a DOM along, which is loaded only now. */
export async function writeRunReport(path: string, results: RunResults): Promise<void> {
  const { writeReport } = await import('../../report/index.ts');
  await writeReport(path, results);
}

/** Writes the report of a finished run that has none any more. */
export async function writeMissingReport(run: string, results: RunResults): Promise<void> {
  if (!existsSync(reportPath(run))) await writeRunReport(reportPath(run), results);
}
