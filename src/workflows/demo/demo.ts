import { join } from 'node:path';
import { readTest } from '../../data/folder.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import { USUAL_COVERAGE } from '../../pasture/intervals/index.ts';
import type { Score } from '../../pasture/metric.ts';
import { STARTER } from '../../runs/bundled-runs.ts';
import type { RunResults } from '../../runs/results.ts';
import { renderSample } from '../../sample/index.ts';
import { type CheckReport, checkFolder } from '../data/check.ts';
import { type PredictionOutcome, predictRun } from '../predict/predict.ts';
import { submitRun } from '../predict/submit.ts';
import { scoreFiles } from '../score/score.ts';
import { trainPart } from '../train/train.ts';

/** How the demo is run. */
export interface DemoOptions {
  /** Training photos that are drawn; default those of the sample. */
  readonly photos?: number;
  readonly progress?: Progress;
}

/** What the demo made. */
export interface DemoOutcome {
  /** What the starter says of the first of the sample's test photos, with intervals. */
  readonly starter: PredictionOutcome;
  readonly check: CheckReport;
  readonly results: RunResults;
  /** Score of the submission: photos of sessions that training has not seen. */
  readonly test: Score;
  readonly sample: string;
  readonly submission: string;
  readonly report: string;
}

/** Photos that the starter is shown. */
const SHOWN = 4;

/**
 * The main job from end to end with nothing downloaded: renders the sample into `out/sample`, asks the starter about
 * some of its photos, checks the folder, cross-validates the default recipe on it into the run folder `out`, and answers
 * its test photos in `out/submission.csv`. What an earlier demo left there is replaced.
 *
 * @throws InputError, UsageError when `out` holds something else
 */
export async function runDemo(
  out: string,
  { photos, progress = SILENT }: DemoOptions = {},
): Promise<DemoOutcome> {
  const sample = join(out, 'sample');
  await renderSample({ out: sample, progress, ...(photos !== undefined && { count: photos }) });
  const shown = (await readTest(sample)).photos.slice(0, SHOWN).map(({ path }) => path);
  const starter = await predictRun({ run: STARTER, source: shown, coverage: USUAL_COVERAGE, progress });
  const check = await checkFolder(sample, { progress });
  const results = await trainPart({
    source: { kind: 'folder', folder: sample },
    out,
    overwrite: true,
    beside: /^(sample|submission\.csv)$/,
    progress,
  });
  const submission = join(out, 'submission.csv');
  await submitRun(out, sample, submission, { progress });
  const { score } = await scoreFiles(join(sample, 'test_truth.csv'), submission);
  return { starter, check, results, test: score, sample, submission, report: join(out, 'report.html') };
}
