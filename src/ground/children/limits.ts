/** What a child process may use; one that goes beyond is ended and another started. */
export interface ChildLimits {
  /** Of JavaScript's heap, MiB. */
  readonly heapMebibytes: number;
  /** Of everything, decoded pictures and networks included, MiB. */
  readonly residentMebibytes: number;
}

/** Exit code of a child that has ended itself for its memory. */
export const OUT_OF_MEMORY = 77;

/** How often a child looks at what it uses. */
const LOOK_EVERY_MS = 100;

/**
 * Ends this process when it holds more than `residentMebibytes`, or when the process that started it is gone.
 * Pictures are decoded beside JavaScript's thread, so that the look is not held up by what it is to find.
 */
export function keepWithin(residentMebibytes: number): void {
  process.on('disconnect', () => process.exit(0));
  setInterval(() => {
    if (process.memoryUsage.rss() > residentMebibytes * 2 ** 20) process.exit(OUT_OF_MEMORY);
  }, LOOK_EVERY_MS).unref();
}
