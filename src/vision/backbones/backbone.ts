import { ShapeError, UsageError } from '../../ground/errors.ts';
import { checkpoint, reshape, type Scope, type Tensor, transpose } from '../../tensor/index.ts';

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

/** What a backbone computes of a batch. All are tensors of a graph: what nobody asks a program for is never computed. */
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

/** What a backbone computes where of each block nothing is read but the CLS token. */
export interface ClsOutput {
  /** After the final norm: `[batch, width]`. */
  readonly normed: Tensor;
  /** Of every block, before the final norm: `[batch, width]` each. */
  readonly blocks: readonly Tensor[];
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
  /**
   * Numbers of the stages after which the resolution halves, and of the last; of blocks at the end of each quarter of
   * the depth where all have one resolution.
   */
  readonly resolutions: readonly number[];
  /** CLS and registers. */
  readonly prefixTokens: number;
  readonly inputSize: InputSizeRule;
  /**
   * @param scope the model's own scope: names under it are the checkpoint's
   * @param images `[batch, 3, height, width]`, normalised
   * @throws ShapeError when the pictures do not suit
   */
  forward(scope: Scope, images: Tensor, options?: ForwardOptions): BackboneOutput;
  /** The same where the CLS token alone is read; absent where there is none. */
  readonly cls?: {
    /** Whether `pooled` is the normed CLS token. */
    readonly isPooled: boolean;
    /**
     * The last block then makes queries, keys and values of all tokens, and everything else of the CLS token alone: a
     * quarter of its linear layers, forwards and backwards. To be asked in place of `forward`, not beside it.
     */
    forward(scope: Scope, images: Tensor, options?: ForwardOptions): ClsOutput;
  };
  /**
   * The block a parameter belongs to, by its name in the checkpoint (adapters' names count as their layer's):
   * −1 for what comes before the first (stem, embeddings), `depth` for what comes after the last (final norm,
   * pooling head).
   */
  blockOf(parameterName: string): number;
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

/**
 * Runs the blocks of a backbone one after another as the options want it: stochastic depth's rate rises from 0 at the
 * first of `count` to its full at the last, and what is inside a block may be computed again for the backward pass.
 */
export function blockRunner(
  options: ForwardOptions,
  count: number,
): (x: Tensor, block: (x: Tensor, rate: number) => Tensor) => Tensor {
  const full = options.dropPath ?? 0;
  let index = 0;
  return (x, block) => {
    const rate = count > 1 ? (full * index) / (count - 1) : full;
    index++;
    const run = (input: Tensor): Tensor => block(input, rate);
    return options.checkpoint ? checkpoint(run, x) : run(x);
  };
}

/**
 * Which parameters train when only the last blocks do: those of the last `count` blocks and of everything
 * after them (final norm, pooling head). For a scope's `trainable`; 0 trains only what comes after.
 *
 * @throws UsageError when there are not that many blocks
 */
export function lastBlocks({ arch, depth, blockOf }: Backbone, count: number): (name: string) => boolean {
  if (!Number.isInteger(count) || count < 0 || count > depth) {
    throw new UsageError(`${arch} has ${depth} blocks; ${count} of them cannot be trained`);
  }
  return (name) => blockOf(name) >= depth - count;
}

/**
 * The layer of a parameter for layer-wise rate decay, of `depth + 1` layers: 0 for the stem, k + 1 for block k,
 * and `depth + 1` for what comes after.
 */
export const layerOf =
  ({ blockOf }: Backbone) =>
  (name: string): number =>
    blockOf(name) + 1;

/** `[batch, channels, height, width]` → `[batch, height, width, channels]`. */
export const channelsLast = (x: Tensor): Tensor => transpose(x, [0, 2, 3, 1]);

/** `[batch, height, width, channels]` → `[batch, channels, height, width]`. */
export const channelsFirst = (x: Tensor): Tensor => transpose(x, [0, 3, 1, 2]);

/** A map `[batch, height, width, dim]` as the tokens of its places; there is no prefix. */
export function tokensOfMap(map: Tensor): TokenMap {
  const [batch, height, width, dim] = map.shape as [number, number, number, number];
  return { patches: reshape(map, [batch, height * width, dim]), prefix: null, grid: [height, width] };
}

/** The number after `prefix` in a parameter's name: 3 of `stages.3.blocks.0.gamma` after `stages`. */
export function stageIn(name: string, prefix: string): number | undefined {
  const [first, second] = name.split('.');
  return first === prefix && second !== undefined ? Number(second) : undefined;
}
