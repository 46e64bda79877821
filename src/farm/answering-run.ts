/**
 * The run that a visit is answered by: estimates of several runs make no mean.
 *
 * @param answers the hash of the run of every estimate of the visit's photos
 * @param chosen the hash of the run that is preferred where several answered as many
 * @returns the hash of the run that most photos were estimated by; null where none was
 */
export function answeringRun(answers: readonly string[], chosen: string): string | null {
  const counts = new Map<string, number>();
  for (const hash of answers) counts.set(hash, (counts.get(hash) ?? 0) + 1);
  const most = Math.max(0, ...counts.values());
  if (most > 0 && counts.get(chosen) === most) return chosen;
  return [...counts].find(([, count]) => count === most)?.[0] ?? null;
}
