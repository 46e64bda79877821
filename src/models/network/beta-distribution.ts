import type { RandomStream } from '../../ground/random.ts';

/** A draw from Beta(α, α) as X/(X + Y) of two gamma variates. */
export function betaVariate(random: RandomStream, alpha: number): number {
  const x = gammaVariate(random, alpha);
  const y = gammaVariate(random, alpha);
  // Both underflow for tiny α, whose distribution has nearly all its mass at 0 and 1.
  return x + y > 0 ? x / (x + y) : Number(random.uniform() < 0.5);
}

/** A draw from Gamma(shape, 1) (Marsaglia & Tsang 2000). */
function gammaVariate(random: RandomStream, shape: number): number {
  if (shape < 1) return gammaVariate(random, shape + 1) * (1 - random.uniform()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const normal = random.normal();
    const v = (1 + c * normal) ** 3;
    const u = 1 - random.uniform();
    if (v > 0 && Math.log(u) < 0.5 * normal * normal + d - d * v + d * Math.log(v)) return d * v;
  }
}
