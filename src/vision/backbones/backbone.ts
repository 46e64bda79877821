import type { z } from 'zod';
import { ShapeError, UsageError } from '../../ground/errors.ts';
import type { Scope, Tensor } from '../../tensor/index.ts';

export type Size = readonly [height: number, width: number];

/** Tokens that belong to places in the picture, and those that do not (CLS first, then registers). */
export interface TokenMap {
  /** `[batch, rows · columns, dim]`, row by row. */
  readonly patches: Tensor;
  /** `[batch, prefix tokens, dim]`; null where the architecture has none. */
  readonly prefix: Tensor | null;
  /** Rows and columns of patches. */
  readonly grid: Size;
}

/** What a backbone computes of a batch. All symbolic: what nobody asks a program for is never computed. */
export interface BackboneOutput {
  /** timm's `forward_features` in timm's own layout: transformers `[batch, tokens, dim]`, SwinV2
   * `[batch, height, width, dim]`, convolutional networks `[batch, dim, height, width]`. */
  readonly features: Tensor;
  /** timm's output with `num_classes=0`: `[batch, width]`. */
  readonly pooled: Tensor;
  /** `features` as tokens, whatever the layout: for transformers those after the final norm. */
  readonly tokens: TokenMap;
  /** Raw output of every block before the final norm (of every stage, in hierarchical networks, whose widths
   * and grids differ); `depth` of them. */
  readonly blocks: readonly TokenMap[];
}

export interface ForwardOptions {
  /** Stochastic depth in training: the last block's rate, rising linearly from 0 at the first. Default 0. */
  readonly dropPath?: number;
  /** Keep only every block's input for the backward pass and compute its inside again. Default false. */
  readonly checkpoint?: boolean;
  /** Whether batch normalisation uses (and updates from) the batch's statistics in training; by default it
   * keeps the stored ones, as small batches need. */
  readonly batchStatistics?: boolean;
}

/** Which pictures an architecture takes. */
export interface InputSizeRule {
  /** Height and width are multiples of this; 1: anything. */
  readonly multipleOf: number;
  /** The size the weights were made for. Always taken, even where it is no multiple (the rest is cut off). */
  readonly native?: Size;
  /** Whether `native` is the only size. */
  readonly fixed: boolean;
}

/**
 * An architecture of given widths and depths: a function over parameters and pictures. It has no weights;
 * those come with the scope, under timm's names, and so does how they are trained.
 */
export interface Backbone {
  /** Name of the architecture in the registry, as `dinov2`. */
  readonly arch: string;
  /** Width of `pooled`. */
  readonly width: number;
  /** Number of blocks (stages, in hierarchical networks): of `blocks` and of what `blockOf` counts. */
  readonly depth: number;
  /** CLS and registers. */
  readonly prefixTokens: number;
  readonly inputSize: InputSizeRule;
  /**
   * @param scope the model's own scope: names under it are the checkpoint's
   * @param images `[batch, 3, height, width]`, normalised
   * @throws ShapeError when the pictures do not suit
   */
  forward(scope: Scope, images: Tensor, options?: ForwardOptions): BackboneOutput;
  /**
   * The block a parameter belongs to, by its name in the checkpoint (adapters' names count as their layer's):
   * −1 for what comes before the first (stem, embeddings), `depth` for what comes after the last (final norm,
   * pooling head).
   */
  blockOf(parameterName: string): number;
}

/** A kind of backbone: what its settings are, and how it is made from them. */
export interface Architecture {
  readonly arch: string;
  /** @throws UsageError when the configuration does not suit, listing every problem */
  make(config: unknown): Backbone;
}

/** Ties an architecture's name to the schema of its configuration and its maker. */
export function architecture<Schema extends z.ZodType>(
  arch: string,
  schema: Schema,
  build: (config: z.output<Schema>) => Omit<Backbone, 'arch'>,
): Architecture {
  return {
    arch,
    make(config) {
      const parsed = schema.safeParse(config);
      if (parsed.success) return { arch, ...build(parsed.data) };
      const problems = parsed.error.issues.map(({ path, message }) =>
        path.length > 0 ? `${path.join('.')}: ${message}` : message,
      );
      throw new UsageError(`configuration of ${arch}: ${problems.join('; ')}`);
    },
  };
}

/**
 * The batch and size of pictures, checked against the rule.
 *
 * @param images `[batch, 3, height, width]`
 * @throws ShapeError naming the sizes that would do
 */
export function pictureSize(
  arch: string,
  images: Tensor,
  { multipleOf, native, fixed }: InputSizeRule,
): { readonly batch: number; readonly height: number; readonly width: number } {
  const [batch, channels, height, width] = images.shape;
  if (batch === undefined || channels !== 3 || height === undefined || width === undefined) {
    throw new ShapeError(
      `${arch} takes pictures [batch, 3, height, width], not [${images.shape.join(', ')}]`,
    );
  }
  const isNative = native !== undefined && height === native[0] && width === native[1];
  if (isNative) return { batch, height, width };
  if (fixed && native) {
    throw new ShapeError(`${arch} takes pictures of ${native.join(' × ')} only, not ${height} × ${width}`);
  }
  if (height % multipleOf !== 0 || width % multipleOf !== 0) {
    throw new ShapeError(
      `${arch} takes pictures whose height and width are multiples of ${multipleOf}, not ${height} × ${width}`,
    );
  }
  return { batch, height, width };
}

/** Stochastic depth's rate of block `index` of `depth`: from 0 at the first to `rate` at the last. */
export const depthRate = (rate: number, index: number, depth: number): number =>
  depth > 1 ? (rate * index) / (depth - 1) : rate;
