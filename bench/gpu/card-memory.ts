import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const LOOK_MS = '100';

/** The card's memory in use, looked at while something runs. */
export class CardMemory {
  readonly #child = spawn(
    'nvidia-smi',
    ['--query-gpu=memory.used', '--format=csv,noheader,nounits', '-i', '0', '-lms', LOOK_MS],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  #now: number | null = null;
  #peak: number | null = null;

  constructor() {
    // Without nvidia-smi nothing is known, which is said.
    this.#child.on('error', () => {});
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#now = Number(line);
      this.#peak = Math.max(this.#peak ?? 0, this.#now);
    });
  }

  /** MiB that the card had in use at the most, beyond what it had before; null where nobody says. */
  async during(work: () => Promise<void>): Promise<number | null> {
    const before = this.#now;
    this.#peak = before;
    await work();
    return before === null || this.#peak === null ? null : this.#peak - before;
  }

  close(): void {
    this.#child.kill();
  }
}
