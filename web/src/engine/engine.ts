import type { Readings } from '../../../src/pasture/covariates.ts';
import type { PortableAnswer } from '../../../src/portable/portable-run.ts';
import type { PaddockMean } from '../../../src/runs/uncertainty.ts';
import { AskedWorker } from './asked-worker.ts';
import type { LoadProgress } from './download.ts';
import type { Estimate, GraphicsTest, Opened, Questions } from './messages.ts';

/** What was refused, with a remedy in its message. */
export class EngineError extends Error {
  override name = 'EngineError';
}

/** How long the graphics chip may take for any step, seconds; its first run makes its programs, which takes long. */
const PATIENCE = 30;

/** A model in a worker of its own that estimates photos without a network; one model an engine. */
export class Engine {
  readonly #worker = new AskedWorker<Questions>(
    new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }),
    EngineError,
  );

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
    return this.#worker.ask('open', { model: model.href, runtime: runtime.href }, { onProgress });
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
    return this.#worker.ask('estimate', { name, photo, coverage, readings });
  }

  /** A small JPEG of a photo, whether or not a model is open. @throws EngineError as {@link estimate} */
  preview(name: string, photo: Blob): Promise<Blob> {
    return this.#worker.ask('preview', { name, photo });
  }

  /** The mean of photos of one paddock, taken on one visit. */
  paddockMean(answers: readonly PortableAnswer[], coverage = 0.9): Promise<PaddockMean> {
    return this.#worker.ask('paddockMean', { answers, coverage });
  }

  /**
   * Computes backbones on the graphics chip from then on, if it answers as the run does, and sooner than WebAssembly.
   * Photos are answered meanwhile.
   *
   * @param runtime folder with the pieces of ONNX Runtime for graphics chips
   * @param patience how long the chip may take for any step, seconds
   * @throws EngineError where these cannot be fetched, or it was left before the test was through
   */
  useGraphics(
    runtime: URL,
    { patience = PATIENCE, onProgress }: GraphicsOptions = {},
  ): Promise<GraphicsTest> {
    return this.#worker.ask(
      'useGraphics',
      { runtime: runtime.href, patience },
      { ...(onProgress && { onProgress }) },
    );
  }

  /** Leaves the graphics chip, or the test of it, and forgets what it needed alone. */
  async leaveGraphics(): Promise<void> {
    await this.#worker.ask('leaveGraphics', null);
  }

  /** Gives the memory of models back until the next photo. */
  async release(): Promise<void> {
    await this.#worker.ask('release', null);
  }

  /** Ends the worker. */
  close(): void {
    this.#worker.end('the engine was closed');
  }
}

interface GraphicsOptions {
  readonly patience?: number;
  readonly onProgress?: (progress: LoadProgress) => void;
}
