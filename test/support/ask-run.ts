import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openRun } from '../../src/runs/open-run.ts';
import type { PhotoPrediction } from '../../src/runs/prediction.ts';
import type { RunResults } from '../../src/runs/results.ts';
import type { PredictOptions } from '../../src/runs/run.ts';
import { photoSamples } from '../../src/samples/samples.ts';
import type { PhotoFile } from '../../src/vision/photos/index.ts';
import { predictRun } from '../../src/workflows/predict/predict.ts';

/** What a run says of photos. */
export async function predictPhotos(
  run: string,
  photos: readonly PhotoFile[],
  options: PredictOptions = {},
): Promise<PhotoPrediction[]> {
  await using opened = await openRun(run);
  return opened.predict(photoSamples(photos), options);
}

/** What a run says of the rows of feature files. */
export async function predictFeatures(
  run: string,
  features: string | readonly string[],
  ids: string,
  options: PredictOptions = {},
): Promise<readonly PhotoPrediction[]> {
  const source = { features: [features].flat(), ids };
  return (await predictRun({ ...options, run, source })).predictions;
}

/** Everything a report shows of a run. */
export async function resultsOf(run: string): Promise<RunResults> {
  await using opened = await openRun(run);
  return opened.results();
}

/** Makes a run trust files that a test has changed. */
export function reseal(run: string): void {
  const path = join(run, 'run.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as { files: Record<string, string> };
  for (const name of Object.keys(manifest.files)) {
    manifest.files[name] = createHash('sha256')
      .update(readFileSync(join(run, name)))
      .digest('hex');
  }
  writeFileSync(path, JSON.stringify(manifest));
}
