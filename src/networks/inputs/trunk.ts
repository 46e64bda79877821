import { SwardError } from '../../ground/errors.ts';
import { copyOf } from '../../tensor/autodiff/recompute.ts';
import { settledFrontier } from '../../tensor/graph/frontier.ts';
import { operationOf } from '../../tensor/graph/operator.ts';
import { sameShape } from '../../tensor/graph/shape.ts';
import { operationsBefore } from '../../tensor/graph/traverse.ts';
import {
  type CompileOptions,
  compile,
  input,
  type Program,
  sizeOf,
  type Tensor,
} from '../../tensor/index.ts';
import type { ArrayFile } from './array-file.ts';

/** A backbone's features in a graph, and what decides which of its beginning stays as it is. */
export interface FeatureGraph {
  /** `[batch · views, 3, size, size]` */
  readonly images: Tensor;
  readonly parts: Tensor;
  /** Whether a leaf of the graph is trained, or was. */
  readonly changes: (leaf: Tensor) => boolean;
}

/** Where the beginning ends, of one photo. */
interface Cut {
  readonly ends: readonly Tensor[];
  /** What arrays of this cut are kept under, beside the photo's own key. */
  readonly name: string;
  readonly options: CompileOptions;
}

/** A photo in one of the ways in which it comes again. */
export interface TrunkPhoto {
  /** By content of the photo. */
  readonly key: string;
  /** `[views, 3, size, size]` */
  readonly views: () => Promise<Float32Array>;
  /** What the beginning makes of it, where that is known. */
  readonly made?: Float32Array;
}

/**
 * The frozen beginning of a backbone: what it makes of a photo's views is the same in every epoch, every fold and every
 * fold's prediction, so it is computed once, one photo at a time, and kept; what is trained begins from there. Numbers
 * are those of the whole graph.
 */
export class Trunk {
  readonly #kept: ArrayFile;
  /** Whether it also stands before what is trained: pictures then come again as they were. */
  readonly #inTraining: boolean;
  #cut: Cut | null = null;
  #program: Promise<Program> | undefined;

  constructor(kept: ArrayFile, inTraining: boolean) {
    this.#kept = kept;
    this.#inTraining = inTraining;
  }

  /**
   * Takes up another part of a backbone: what is not trained from now on.
   *
   * @param one the features of one photo in inference; null where there is no beginning to keep
   * @param options how programs are compiled
   */
  enter(one: FeatureGraph | null, options: CompileOptions = {}): void {
    void this.close();
    const ends = one && this.#kept.limitBytes > 0 ? settledFrontier(one.parts, one.images, one.changes) : [];
    const isWorthKeeping =
      ends.length > 0 && ends.every((end) => operationOf(end) && end.dtype === 'float32');
    const shapes = ends.map(({ shape }) => shape.join('×')).join(' ');
    this.#cut = isWorthKeeping ? { ends, name: `${operationsBefore(ends).length} ${shapes}`, options } : null;
  }

  /** Whether it is fed in place of views. */
  stands(mode: 'plain' | 'training'): boolean {
    return this.#cut !== null && (mode === 'plain' || this.#inTraining);
  }

  /** The features of a batch from what the beginning has made. */
  after({ parts, images, changes }: FeatureGraph, batch: number): Tensor {
    const own = settledFrontier(parts, images, changes);
    const fed = this.#ends.map(({ shape: [first = 1, ...others] }, index) =>
      input(feedName(index), [batch * first, ...others]),
    );
    if (own.length !== fed.length || own.some(({ shape }, at) => !sameShape(shape, fed[at]?.shape ?? []))) {
      throw new SwardError('a backbone ends elsewhere for a batch than for one photo; report this');
    }
    return copyOf(parts, new Map(own.map((end, index) => [end, fed[index] as Tensor])));
  }

  /**
   * What the beginning makes of photos, the last one's repeating until the batch is full.
   */
  async feeds(photos: readonly TrunkPhoto[], batch: number): Promise<Record<string, Float32Array>> {
    const name = this.#cut?.name ?? '';
    const rows = await Promise.all(
      photos.map(
        ({ key, views, made }) =>
          made ?? this.#kept.get(`${name} ${key}`, async () => this.#made(await views())),
      ),
    );
    let from = 0;
    return Object.fromEntries(
      this.#ends.map(({ shape }, index) => {
        const length = sizeOf(shape);
        const fed = new Float32Array(batch * length);
        for (let row = 0; row < batch; row++) {
          const values = rows[Math.min(row, rows.length - 1)] as Float32Array;
          fed.set(values.subarray(from, from + length), row * length);
        }
        from += length;
        return [feedName(index), fed];
      }),
    );
  }

  /** One photo's values of all ends, one end after another. */
  async #made(images: Float32Array): Promise<Float32Array> {
    const { ends, options } = this.#cut ?? { ends: [], options: {} };
    this.#program ??= compile(
      { outputs: Object.fromEntries(ends.map((end, index) => [feedName(index), end])) },
      options,
    );
    const made = await (await this.#program).run({ images });
    const values = new Float32Array(ends.reduce((sum, { shape }) => sum + sizeOf(shape), 0));
    let at = 0;
    for (const index of ends.keys()) {
      const own = made[feedName(index)]?.values as Float32Array;
      values.set(own, at);
      at += own.length;
    }
    return values;
  }

  get #ends(): readonly Tensor[] {
    return this.#cut?.ends ?? [];
  }

  /** Gives the program's memory back; it is compiled anew when a photo comes that is not kept. */
  async close(): Promise<void> {
    const program = this.#program;
    this.#program = undefined;
    // What could not be compiled has been told of.
    await (await program?.catch(() => null))?.dispose();
  }
}

const feedName = (index: number): string => `trunk.${index}`;
