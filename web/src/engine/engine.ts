import type { Readings } from '../../../src/pasture/covariates.ts';
import type { PortableAnswer } from '../../../src/portable/portable-run.ts';
import type { PaddockMean } from '../../../src/runs/uncertainty.ts';
import type { LoadProgress } from './download.ts';
import type { Estimate, Opened, QuestionKind, Questions, Reply } from './messages.ts';

/** What was refused, with a remedy in its message. */
export class EngineError extends Error {
  override name = 'EngineError';
}

interface Waiting {
  readonly settle: (answer: unknown) => void;
  readonly fail: (error: EngineError) => void;
  readonly onProgress: (progress: LoadProgress) => void;
}

/** A model in a worker of its own that estimates photos without a network; one model an engine. */
export class Engine {
  readonly #worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;

  constructor() {
    this.#worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => this.#received(data));
    this.#worker.addEventListener('error', ({ message }) => {
      this.#failAll(`the engine has stopped (${message || 'it could not be loaded'}); open the page again`);
    });
  }

  /**
   * Fetches what is not here yet, and tests that this browser computes as sward does.
   *
   * @param model folder of an export for browsers
   * @param runtime folder with the pieces of ONNX Runtime
   * @throws EngineError where something cannot be fetched or is damaged, or the test fails
   */
  open(
    { model, runtime }: { readonly model: URL; readonly runtime: URL },
    onProgress: (progress: LoadProgress) => void = () => {},
  ): Promise<Opened> {
    return this.#ask('open', { model: model.href, runtime: runtime.href }, onProgress);
  }

  /**
   * @param coverage of the intervals
   * @param readings what was measured beside the photo, as the model's covariates have it
   * @throws EngineError for what is no photo, or cannot be decoded here
   */
  estimate(
    name: string,
    photo: Blob,
    { coverage = 0.9, readings = {} }: { readonly coverage?: number; readonly readings?: Readings } = {},
  ): Promise<Estimate> {
    return this.#ask('estimate', { name, photo, coverage, readings });
  }

  /** The mean of photos of one paddock, taken on one visit. */
  paddockMean(answers: readonly PortableAnswer[], coverage = 0.9): Promise<PaddockMean> {
    return this.#ask('paddockMean', { answers, coverage });
  }

  /** Gives the memory of models back until the next photo. */
  async release(): Promise<void> {
    await this.#ask('release', null);
  }

  /** Ends the worker. */
  close(): void {
    this.#worker.terminate();
    this.#failAll('the engine was closed');
  }

  #ask<Kind extends QuestionKind>(
    kind: Kind,
    ask: Questions[Kind]['ask'],
    onProgress: (progress: LoadProgress) => void = () => {},
  ): Promise<Questions[Kind]['answer']> {
    const id = this.#asked++;
    return new Promise((settle, fail) => {
      this.#waiting.set(id, {
        // The worker answers each kind of question as `Questions` says.
        settle: (answer) => settle(answer as Questions[Kind]['answer']),
        fail,
        onProgress,
      });
      this.#worker.postMessage({ id, kind, ask });
    });
  }

  #received(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    if (!waiting) return;
    if ('progress' in reply) {
      waiting.onProgress(reply.progress);
      return;
    }
    this.#waiting.delete(reply.id);
    if ('error' in reply) waiting.fail(new EngineError(reply.error.message));
    else waiting.settle(reply.answer);
  }

  #failAll(message: string): void {
    for (const { fail } of this.#waiting.values()) fail(new EngineError(message));
    this.#waiting.clear();
  }
}
