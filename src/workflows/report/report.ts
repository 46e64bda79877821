import { existsSync } from 'node:fs';
import { countOf } from '../../ground/counts.ts';
import { UsageError } from '../../ground/errors.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import { columnEffects } from '../../runs/column-effects.ts';
import { openRun } from '../../runs/open-run.ts';
import type { RunResults } from '../../runs/results.ts';
import { TrainedRun } from '../../runs/trained-run.ts';
import { isObjectLocation } from '../../storage/index.ts';
import { requireOwnOutput } from '../outputs/own-outputs.ts';
import { reportPath, writeRunReport } from './write-report.ts';

/** Where a report is written, and whether it explains. */
export interface ReportRunOptions {
  /** File to write; default `report.html` in the run. */
  readonly out?: string;
  /** How many columns of the input to draw with what they do to predictions; for boosted trees. Default none. */
  readonly explain?: number;
  /** Whether a file may be replaced that sward did not write; default not. */
  readonly overwrite?: boolean;
  readonly progress?: Progress;
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
  {
    out = isObjectLocation(run) ? run : reportPath(run),
    explain,
    overwrite,
    progress,
  }: ReportRunOptions = {},
): Promise<string> {
  if (isObjectLocation(out))
    throw new UsageError(`${run} lies in a bucket; say where the report goes: --out FILE`);
  if (out !== reportPath(run)) await requireOwnOutput('--out', out, 'report', overwrite);
  await using opened = await openRun(run);
  const results = await opened.results();
  tellOfLostPhotos(results, progress);
  if (explain === undefined) {
    await writeRunReport(opened.folder, out, results);
    return out;
  }
  if (!(opened instanceof TrainedRun)) {
    throw new UsageError(`--explain: ${run} has no trees of its own; name one of its members`);
  }
  await writeRunReport(opened.folder, out, {
    ...results,
    columnEffects: await columnEffects(opened, explain),
  });
  return out;
}

/** Photos are found by where they lay from the run; who moves one of the two loses them. */
function tellOfLostPhotos({ rows }: RunResults, progress: Progress = SILENT): void {
  const photos = rows.flatMap(({ photoPath }) => photoPath ?? []);
  const lost = photos.filter((path) => !existsSync(path));
  if (lost.length === 0) return;
  progress.line?.(
    `warning: ${lost.length} of ${countOf(photos.length, 'photo')} ${lost.length === 1 ? 'is' : 'are'} not where the run ` +
      `knows them (${lost[0]} for one), and the report shows none of them; put the run back beside its photos`,
  );
}
