import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll } from 'vitest';
import { type CommandOutcome, MAIN } from './run-sward.ts';

type Outcome = Promise<CommandOutcome>;

const HOST = join(import.meta.dirname, 'sward-host.mjs');

/**
 * Commands that run one after another in one process of the built command line, as what a test asks many times takes
 * longer to load than to do. What a process of its own has to do with it (signals, streams, memory, that the same comes
 * out in two processes) is for `runSward`. The process must end by itself after the last command, as any must.
 */
export function hostSward(
  environment: Record<string, string> = {},
  folder?: string,
): (...args: readonly string[]) => Outcome {
  const swardIn = hostSwardIn(environment);
  return (...args) => swardIn(folder, ...args);
}

/** As {@link hostSward}, each command in a folder of its own. */
export function hostSwardIn(
  environment: Record<string, string> = {},
): (folder: string | undefined, ...args: readonly string[]) => Outcome {
  let host: Host | undefined;
  let last: Promise<unknown> = Promise.resolve();
  afterAll(async () => {
    await host?.leave();
  });
  return (folder, ...args) => {
    const outcome = last.then(() => {
      if (!host?.isAlive) host = new Host(environment);
      return host.run(args, folder);
    });
    last = outcome.catch(() => {});
    return outcome;
  };
}

class Host {
  readonly #mark = `\n${randomUUID()}\n`;
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #said = { stdout: '', stderr: '' };
  #code: number | null = null;
  #settle: ((outcome: CommandOutcome) => void) | undefined;
  isAlive = true;

  constructor(environment: Record<string, string>) {
    const urls = ['console.js', 'run-command.js'].map(
      (name) => pathToFileURL(join(dirname(MAIN), name)).href,
    );
    this.#process = fork(HOST, [...urls, this.#mark], {
      execArgv: [],
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of ['stdout', 'stderr'] as const) {
      this.#process[stream]?.setEncoding('utf8').on('data', (text: string) => {
        this.#said[stream] += text;
        this.#settleWhenDone();
      });
    }
    this.#process.on('message', (code: number) => {
      this.#code = code;
      this.#settleWhenDone();
    });
    // A command that ended the process with it has said all once the streams are closed.
    this.#process.once('close', (code) => this.#settle?.({ code, ...this.#said }));
    this.#ended = new Promise((settle) => {
      this.#process.once('exit', () => {
        this.isAlive = false;
        settle();
      });
    });
  }

  run(words: readonly string[], folder = process.cwd()): Promise<CommandOutcome> {
    return new Promise((settle) => {
      this.#settle = settle;
      this.#process.send({ words, folder });
    });
  }

  /** Lets the process end, which it does by itself once nothing is left to do. */
  async leave(): Promise<void> {
    if (this.isAlive) this.#process.disconnect();
    await this.#ended;
  }

  #settleWhenDone(): void {
    const { stdout, stderr } = this.#said;
    if (this.#code === null || !stdout.endsWith(this.#mark) || !stderr.endsWith(this.#mark)) return;
    const [code, settle] = [this.#code, this.#settle];
    this.#code = null;
    this.#said.stdout = '';
    this.#said.stderr = '';
    this.#settle = undefined;
    settle?.({
      code,
      stdout: stdout.slice(0, -this.#mark.length),
      stderr: stderr.slice(0, -this.#mark.length),
    });
  }
}
