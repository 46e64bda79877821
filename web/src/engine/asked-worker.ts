import { SwardError } from '../../../src/ground/errors.ts';
import type { LoadProgress } from './download.ts';

/** What is asked of a worker: arguments and answer of each kind of question. */
export type AskedOf<Questions> = Record<keyof Questions, { readonly ask: unknown; readonly answer: unknown }>;

/** To a worker. */
export type Question<Questions extends AskedOf<Questions>> = {
  [Kind in keyof Questions]: {
    readonly id: number;
    readonly kind: Kind;
    readonly ask: Questions[Kind]['ask'];
  };
}[keyof Questions];

/** From a worker. */
export type Reply =
  | { readonly id: number; readonly progress: LoadProgress }
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: { readonly message: string } }
  /** It can answer no more. */
  | { readonly ended: string };

interface Waiting {
  readonly settle: (answer: unknown) => void;
  readonly fail: (error: Error) => void;
  readonly onProgress: (progress: LoadProgress) => void;
}

interface AskOptions {
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Buffers that are handed over, not copied. */
  readonly transfer?: Transferable[];
  /** It is ended where it takes longer, seconds. */
  readonly patience?: number;
}

/** The file of a worker is not here, and no network gives it. */
export class NotLoaded extends SwardError {}

/** A worker that is asked questions. Whatever ends it fails what it was asked, then and from then on. */
export class AskedWorker<Questions extends AskedOf<Questions>> {
  readonly #worker: Worker;
  readonly #refusal: new (
    message: string,
  ) => Error;
  readonly #waiting = new Map<number, Waiting>();
  #ended: Error | null = null;
  #asked = 0;

  /** @param refusal made of what it complains of */
  constructor(worker: Worker, refusal: new (message: string) => Error) {
    this.#worker = worker;
    this.#refusal = refusal;
    worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => this.#received(data));
    worker.addEventListener('error', (event) => {
      // Else a worker that asked it would end of it too.
      event.preventDefault();
      const { message } = event;
      this.#end(
        message ? new refusal(`it has stopped (${message})`) : new NotLoaded('it could not be loaded'),
      );
    });
  }

  /** Whether it has ended. */
  get isEnded(): boolean {
    return this.#ended !== null;
  }

  /** @throws what `refusal` makes */
  ask<Kind extends keyof Questions>(
    kind: Kind,
    ask: Questions[Kind]['ask'],
    { onProgress = () => {}, transfer = [], patience = Number.POSITIVE_INFINITY }: AskOptions = {},
  ): Promise<Questions[Kind]['answer']> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = this.#asked++;
    const answered = new Promise<Questions[Kind]['answer']>((settle, fail) => {
      // The worker answers each kind of question as `Questions` says.
      this.#waiting.set(id, {
        settle: (answer) => settle(answer as Questions[Kind]['answer']),
        fail,
        onProgress,
      });
      this.#worker.postMessage({ id, kind, ask }, transfer);
    });
    return patience === Number.POSITIVE_INFINITY ? answered : this.#within(patience, answered);
  }

  /** Ends it. */
  end(why: string): void {
    this.#end(new this.#refusal(why));
  }

  /** Counts seconds one by one: those in which a phone lets nothing run are not the worker's. */
  async #within<Answer>(patience: number, answered: Promise<Answer>): Promise<Answer> {
    let seconds = 0;
    const clock = setInterval(() => {
      if (++seconds >= patience) this.end(`it gave no answer for ${patience} s`);
    }, 1000);
    return answered.finally(() => clearInterval(clock));
  }

  #received(reply: Reply): void {
    if ('ended' in reply) {
      this.end(reply.ended);
      return;
    }
    const waiting = this.#waiting.get(reply.id);
    if (!waiting) return;
    if ('progress' in reply) {
      waiting.onProgress(reply.progress);
      return;
    }
    this.#waiting.delete(reply.id);
    if ('error' in reply) waiting.fail(new this.#refusal(reply.error.message));
    else waiting.settle(reply.answer);
  }

  #end(error: Error): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#worker.terminate();
    for (const { fail } of this.#waiting.values()) fail(error);
    this.#waiting.clear();
  }
}
