import { join } from 'node:path';
import { type Progress, SILENT } from '../../ground/progress.ts';
import type { Score } from '../../pasture/metric.ts';
import type { RunResults } from '../../runs/results.ts';
import { renderSample } from '../../sample/index.ts';
import { submitRun } from '../predict/submit.ts';
import { scoreFiles } from '../score/score.ts';
import { trainPart } from '../train/train.ts';

/** What the demo made. */
export interface DemoOutcome {
  readonly results: RunResults;
  /** Score of the submission: photos of sessions that training has not seen. */
  readonly test: Score;
  readonly sample: string;
  readonly submission: string;
  readonly report: string;
}

/**
 * The main job from end to end with nothing downloaded: renders the sample into `out/sample`, cross-validates
 * `descriptor-ridge` on it into the run folder `out`, and answers its test photos in `out/submission.csv`.
 * What an earlier demo left there is replaced.
 *
 * @throws InputError, UsageError when `out` holds something else
 */
export async function runDemo(
  out: string,
  { progress = SILENT }: { readonly progress?: Progress } = {},
): Promise<DemoOutcome> {
  const sample = join(out, 'sample');
  await renderSample({ out: sample, progress });
  const results = await trainPart({
    source: { kind: 'folder', folder: sample },
    recipe: 'descriptor-ridge',
    out,
    overwrite: true,
    beside: /^(sample|submission\.csv)$/,
    progress,
  });
  const submission = join(out, 'submission.csv');
  await submitRun(out, sample, submission, { progress });
  const { score } = await scoreFiles(join(sample, 'test_truth.csv'), submission);
  return { results, test: score, sample, submission, report: join(out, 'report.html') };
}
