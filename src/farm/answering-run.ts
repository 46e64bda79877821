import type { Estimate } from './estimate.ts';

/** What is to be known of an estimate to tell which run answers a visit. */
type Answer = Pick<Estimate, 'run' | 'estimatedAt'>;

/**
 * The run that a visit is answered by: estimates of several runs make no mean. It is the run in use as soon as that has
 * answered any of the photos, so that what is shown follows a change of the run in use; else the one that answered most,
 * of several such the one that answered last. The same answers in another order give the same run.
 *
 * @param answers every estimate of the visit's photos
 * @param chosen the hash of the run in use
 * @returns the run's hash; null where no photo is answered
 */
export function answeringRun(answers: readonly Answer[], chosen: string): string | null {
  const found = new Map<string, { readonly hash: string; readonly count: number; readonly last: number }>();
  for (const { run, estimatedAt } of answers) {
    const { count = 0, last = 0 } = found.get(run.hash) ?? {};
    const at = Date.parse(estimatedAt);
    found.set(run.hash, { hash: run.hash, count: count + 1, last: Math.max(last, at) });
  }
  if (found.has(chosen)) return chosen;
  const [first] = [...found.values()].sort(
    (a, b) => b.count - a.count || b.last - a.last || (a.hash < b.hash ? -1 : 1),
  );
  return first?.hash ?? null;
}

/**
 * What is shown of a photo: the answer of the run that its visit is answered by, else the last that any run gave.
 *
 * @param answers of the photo
 * @param runHash of its visit, by {@link answeringRun}
 */
export function answerShown<Given extends Answer>(
  answers: readonly Given[],
  runHash: string | null,
): Given | null {
  const [last] = [...answers].sort((a, b) => Date.parse(b.estimatedAt) - Date.parse(a.estimatedAt));
  return answers.find(({ run }) => run.hash === runHash) ?? last ?? null;
}
