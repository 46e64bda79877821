import { type ChildProcess, fork } from 'node:child_process';
import { workerFile } from '../worker-pool.ts';
import { type ChildLimits, OUT_OF_MEMORY } from './limits.ts';

/** Why a child gave no answer. */
export class ChildFailure extends Error {
  override name = 'ChildFailure';
}

/** What a child tells of a task: news on the way, and in the end its answer or what went wrong. */
export type ChildMessage<Answer, News> =
  | { readonly kind: 'news'; readonly news: News }
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'refusal'; readonly name: string; readonly message: string };

/** What a task came to that the child could do nothing about: a damaged photo, a run that is none. */
export class TaskRefused extends Error {
  override name = 'TaskRefused';
  /** Class of the error in the child. */
  readonly of: string;

  constructor(of: string, message: string) {
    super(message);
    this.of = of;
  }
}

/** How a task is waited for. */
export interface TaskOptions<News> {
  /** The child is ended when it takes longer; absent: it may take as long as it likes. */
  readonly milliseconds?: number;
  readonly onNews?: (news: News) => void;
}

/** End of a standard error that is kept, to say why a child died. */
const TAIL_BYTES = 2000;

/** A process of its own that does one task after another, within limits of memory and time. */
export class LimitedChild<Task, Answer, News = never> {
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  #tail = '';
  #cause: ChildFailure | null = null;
  isAlive = true;

  /**
   * @param callerUrl `import.meta.url` of a file beside that of the child
   * @param name file of the child without its ending
   * @throws Error where nothing is built
   */
  constructor(callerUrl: string, name: string, limits: ChildLimits) {
    const file = workerFile(callerUrl, name);
    if (file === undefined) throw new Error(`${name} is not built; run npm run build`);
    this.#process = fork(file, [String(limits.residentMebibytes)], {
      execArgv: [`--max-old-space-size=${limits.heapMebibytes}`],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#tail = `${this.#tail}${chunk.toString()}`.slice(-TAIL_BYTES);
    });
    this.#ended = new Promise((settle) => {
      const end = (): void => {
        this.isAlive = false;
        settle();
      };
      this.#process.once('exit', end).once('error', end);
    });
  }

  /**
   * Gives the child its next task; the one before must be through.
   *
   * @throws TaskRefused when the task cannot be done, ChildFailure when the child ended over it
   */
  async run(task: Task, { milliseconds, onNews }: TaskOptions<News> = {}): Promise<Answer> {
    const timer =
      milliseconds === undefined
        ? undefined
        : setTimeout(
            () => this.#end(new ChildFailure(`took longer than ${milliseconds / 1000} s`)),
            milliseconds,
          );
    let listen: ((message: ChildMessage<Answer, News>) => void) | undefined;
    try {
      return await new Promise<Answer>((settle, fail) => {
        listen = (message) => {
          if (message.kind === 'news') onNews?.(message.news);
          else if (message.kind === 'answer') settle(message.answer);
          else fail(new TaskRefused(message.name, message.message));
        };
        this.#process.on('message', listen);
        void this.#ended.then(() => fail(this.#failure()));
        this.#process.send(task as object, (error) => {
          if (error) this.#end(new ChildFailure(error.message));
        });
      });
    } finally {
      clearTimeout(timer);
      if (listen) this.#process.off('message', listen);
    }
  }

  /** Ends the child, and waits until it is gone. */
  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#process.kill(signal);
    await this.#ended;
  }

  #end(cause: ChildFailure): void {
    this.#cause ??= cause;
    this.#process.kill('SIGKILL');
  }

  #failure(): ChildFailure {
    if (this.#cause) return this.#cause;
    const { exitCode, signalCode } = this.#process;
    const isHeap = /heap out of memory/i.test(this.#tail);
    if (exitCode === OUT_OF_MEMORY || isHeap) return new ChildFailure('needed more memory than it may have');
    const last = this.#tail.trim().split('\n').at(-1) ?? '';
    return new ChildFailure(`ended (${signalCode ?? exitCode}) ${last}`.trim());
  }
}
