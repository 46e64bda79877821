import { UsageError } from '../../ground/errors.ts';
import { columnEffects } from '../../runs/column-effects.ts';
import { openRun } from '../../runs/open-run.ts';
import { TrainedRun } from '../../runs/trained-run.ts';
import { reportPath, writeRunReport } from './write-report.ts';

/** Where a report is written, and whether it explains. */
export interface ReportRunOptions {
  /** File to write; default `report.html` in the run. */
  readonly out?: string;
  /** How many columns of the input to draw with what they do to predictions; for boosted trees. Default none. */
  readonly explain?: number;
}

/**
 * Writes the report of a finished run again.
 *
 * @param run folder of a finished run
 * @returns the file
 * @throws InputError when the run is unfinished or damaged
 * @throws UsageError when it cannot be explained as asked
 */
export async function reportRun(
  run: string,
  { out = reportPath(run), explain }: ReportRunOptions = {},
): Promise<string> {
  await using opened = await openRun(run);
  const results = await opened.results();
  if (explain === undefined) {
    await writeRunReport(out, results);
    return out;
  }
  if (!(opened instanceof TrainedRun)) {
    throw new UsageError(`--explain: ${run} has no trees of its own; name one of its members`);
  }
  await writeRunReport(out, { ...results, columnEffects: await columnEffects(opened, explain) });
  return out;
}
