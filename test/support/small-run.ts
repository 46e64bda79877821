import { runSward } from './run-sward.ts';

/** Trains a run in seconds on a data folder of few photos. @throws what the command complained of */
export async function trainSmallRun(
  data: string,
  out: string,
  cache: string,
  recipe = 'descriptor-ridge',
  ...more: string[]
): Promise<string> {
  const { code, stderr } = await runSward(
    ['train', data, '--recipe', recipe, '--folds', '3', '--out', out, ...more],
    { SWARD_CACHE: cache },
  );
  if (code !== 0) throw new Error(stderr);
  return out;
}
