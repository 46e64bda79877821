import { openRun } from '../runs/open-run.ts';
import { reportPath, writeRunReport } from './write-report.ts';

/**
 * Writes the report of a finished run again.
 *
 * @param out file to write; default `report.html` in the run
 * @returns the file
 * @throws InputError when the run is unfinished or damaged
 */
export async function reportRun(run: string, out = reportPath(run)): Promise<string> {
  await using opened = await openRun(run);
  await writeRunReport(out, await opened.results());
  return out;
}
