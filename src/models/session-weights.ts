/**
 * Weight of each photo, so that large sessions do not drown small ones: proportional to
 * `size(session)^(−exponent)`, with mean 1. Exponent 0 weighs photos alike, 1 weighs sessions alike.
 */
export function sessionWeights(groups: readonly string[], exponent: number): number[] {
  const sizes = new Map<string, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const raw = groups.map((group) => (sizes.get(group) ?? 1) ** -exponent);
  const mean = raw.reduce((sum, weight) => sum + weight, 0) / raw.length;
  return raw.map((weight) => weight / mean);
}
