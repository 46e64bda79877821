/** Of one caller: so many at once, and so many more a second. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Callers that are remembered at most. */
const MOST_CALLERS = 10_000;

/** Counts what callers ask (a leaky bucket each). */
export class RateLimit {
  readonly #rate: Rate;
  readonly #buckets = new Map<string, { level: number; at: number }>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** Seconds until the caller may ask; 0: now, and it is counted. */
  wait(caller: string, cost = 1): number {
    const now = performance.now() / 1000;
    const { burst, perSecond } = this.#rate;
    const bucket = this.#buckets.get(caller) ?? { level: 0, at: now };
    const level = Math.max(0, bucket.level - (now - bucket.at) * perSecond);
    if (level + cost > burst) return Math.ceil((level + cost - burst) / perSecond);
    // Whoever asked last is at the end, so that the first is the longest silent.
    this.#buckets.delete(caller);
    this.#buckets.set(caller, { level: level + cost, at: now });
    if (this.#buckets.size > MOST_CALLERS) this.#buckets.delete(this.#buckets.keys().next().value as string);
    return 0;
  }
}
