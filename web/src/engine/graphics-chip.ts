import type { PortableSession, PortableTensor } from '../../../src/portable/portable-run.ts';
import { AskedWorker } from './asked-worker.ts';

/** What is asked of the worker that has the chip. */
export interface GraphicsQuestions {
  /** ONNX Runtime's WebAssembly, to what computes. */
  readonly start: { readonly ask: Uint8Array; readonly answer: string };
  /** An ONNX model, to the number of its session. */
  readonly open: { readonly ask: Uint8Array; readonly answer: number };
  readonly run: {
    readonly ask: { readonly session: number; readonly inputs: Readonly<Record<string, PortableTensor>> };
    readonly answer: Readonly<Record<string, Float32Array>>;
  };
  readonly release: { readonly ask: number; readonly answer: null };
}

/** What the graphics chip does not do, or no more; WebAssembly does it. */
export class GraphicsError extends Error {
  override name = 'GraphicsError';
}

/**
 * The graphics chip, behind a worker of its own: ONNX Runtime waits for ever where a chip is taken away or makes no program
 * of what it is given, and a worker can be ended.
 */
export class GraphicsChip {
  /** ONNX Runtime, its version and the chip. */
  readonly engine: string;
  readonly #worker: AskedWorker<GraphicsQuestions>;
  readonly #patience: number;

  private constructor(engine: string, worker: AskedWorker<GraphicsQuestions>, patience: number) {
    this.engine = engine;
    this.#worker = worker;
    this.#patience = patience;
  }

  /**
   * @param wasm ONNX Runtime's for graphics chips, which is handed over
   * @param patience how long any step may take, seconds
   * @param signal ends it whenever it is given
   * @throws GraphicsError where the browser gives none
   * @throws NotLoaded where a part of the app is neither here nor to be fetched
   */
  static async start(
    wasm: Uint8Array<ArrayBuffer>,
    patience: number,
    signal: AbortSignal,
  ): Promise<GraphicsChip> {
    const worker = new AskedWorker<GraphicsQuestions>(
      new Worker(new URL('./graphics-worker.ts', import.meta.url), { type: 'module' }),
      GraphicsError,
    );
    signal.addEventListener('abort', () => worker.end('it was switched off'));
    try {
      const engine = await worker.ask('start', wasm, { transfer: [wasm.buffer], patience });
      return new GraphicsChip(engine, worker, patience);
    } catch (error) {
      worker.end('it did not start');
      throw error;
    }
  }

  /** Whether it is gone. */
  get isGone(): boolean {
    return this.#worker.isEnded;
  }

  /** Opens an ONNX model, whose bytes are handed over. @throws GraphicsError */
  async open(model: Uint8Array<ArrayBuffer>): Promise<PortableSession> {
    const patience = this.#patience;
    const session = await this.#worker.ask('open', model, { transfer: [model.buffer], patience });
    return {
      run: async (given) => {
        // Copies, which are handed over: of a view the whole of its buffer would be copied.
        const inputs = Object.fromEntries(
          Object.entries(given).map(
            ([name, { data, dims }]) => [name, { data: data.slice(), dims }] as const,
          ),
        );
        const transfer = Object.values(inputs).map(({ data }) => data.buffer);
        const outputs = await this.#worker.ask('run', { session, inputs }, { transfer, patience });
        if (Object.values(outputs).every((values) => values.every(Number.isFinite))) return outputs;
        throw new GraphicsError('it gave numbers that are none');
      },
      release: async () => {
        if (!this.isGone) await this.#worker.ask('release', session, { patience });
      },
    };
  }
}
