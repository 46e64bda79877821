import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { openSafetensors } from '../../formats/safetensors/index.ts';
import { environment } from '../../ground/environment.ts';
import { UsageError } from '../../ground/errors.ts';
import { randomStream } from '../../ground/random.ts';
import { lengthAt } from '../../tensor/graph/shape.ts';
import { compile, input, type Program, reshape, Scope, sizeOf, type Tensor } from '../../tensor/index.ts';
import { type Backbone, backboneParameters, checkWeights, makeBackbone } from '../backbones/index.ts';
import type { ResolvedWeights } from '../weights/index.ts';
import { photosAtOnce } from './photos-at-once.ts';
import type { FeaturePlan, Precision } from './plan.ts';
import { readsClsAlone, viewFeatures } from './pooling.ts';

/** A frozen backbone that turns views into vectors. */
export interface FeatureNetwork {
  /** Side of a view, pixels. */
  readonly size: number;
  /** Width of a view's vector. */
  readonly width: number;
  /** Whether of all tokens CLS alone is read. */
  readonly readsClsAlone: boolean;
  /** How many of so many photos it takes at the same time. */
  atOnce(photos: number): number;
  /** Begins to load what {@link run} needs for so many photos, which it would do by itself. */
  begin(photos: number): void;
  /**
   * @param views [count, 3, size, size], normalised
   * @param photos how many photos there are in all, which decides what runs: one has every processor, several share them
   * @returns [count, width]; the same numbers whatever runs
   */
  run(views: Float32Array, count: number, photos?: number): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** A frozen backbone as a graph, for programs of its own. */
export interface FeatureGraph {
  /** Side of a view, pixels. */
  readonly size: number;
  /** How many views go through together. */
  readonly batch: number;
  /** Whether of all tokens CLS alone is read. */
  readonly readsClsAlone: boolean;
  /**
   * @param views [batch, 3, size, size], normalised
   * @returns [batch, width]
   */
  features(views: Tensor): Tensor;
}

/** Up to this side views go through together; larger ones fill the machine, and its memory, one by one. */
const LARGEST_BATCHED_SIDE = 256;

/** More views of a photo than this go through in equal batches. */
const MOST_BATCHED = 16;

/**
 * Makes a backbone ready for a plan. Weights are read where they lie; int8 and 4-bit ones are made once and kept in
 * the cache folder.
 *
 * @param viewsPerPhoto how many views come at once
 * @throws InputError when the file does not hold the backbone's weights
 * @throws UsageError when the size or the pooling does not suit the backbone
 */
export async function openNetwork(
  weights: ResolvedWeights,
  plan: FeaturePlan,
  viewsPerPhoto: number,
  cacheFolder: string,
): Promise<FeatureNetwork> {
  const graph = await featureGraph(weights, plan, viewsPerPhoto);
  const { size, batch, features: featuresOf } = graph;
  const features = featuresOf(input('images', [batch, 3, size, size]));
  const width = features.shape[1] as number;
  const { precision } = plan;
  const { provider, threads: cores = availableParallelism() } = environment();
  const most = photosAtOnce(cores, constantBytes(weights, precision));
  // Compiled when it is first needed: where every photo is remembered, no session has to start.
  const begun = new Map<'one' | 'several', Promise<Program>>();
  // A few photos are done before several sessions are open.
  const isFew = (photos: number): boolean => photos < 2 * most.photos;
  const atOnceOf = (photos: number): number => (provider !== 'cpu' || isFew(photos) ? 1 : most.photos);
  const programFor = (photos: number): Promise<Program> => {
    const atOnce = atOnceOf(photos);
    const key = atOnce > 1 ? 'several' : 'one';
    const known = begun.get(key);
    if (known) return known;
    const program = compile(
      { outputs: { features } },
      {
        provider,
        ...(atOnce > 1 && { atOnce, threads: most.threads }),
        ...(precision !== 'fp32' && {
          quantize: { weights: precision, cacheFolder: join(cacheFolder, 'quantized') },
        }),
      },
    );
    // Who runs it is told.
    program.catch(() => {});
    begun.set(key, program);
    return program;
  };
  return {
    size,
    width,
    readsClsAlone: graph.readsClsAlone,
    atOnce: atOnceOf,
    begin: (photos) => {
      programFor(photos);
    },
    run: async (views, count, photos = 1) =>
      runBatches(await programFor(photos), views, count, { batch, size, width }),
    dispose: async () => {
      for (const program of begun.values()) await (await program.catch(() => undefined))?.dispose();
    },
  };
}

/** Bytes of a weight's number. */
const NUMBER_BYTES: Readonly<Record<Precision, number>> = { fp32: 4, int8: 1, int4: 0.5 };

function constantBytes({ arch, config }: ResolvedWeights, precision: Precision): number {
  const shapes = backboneParameters(makeBackbone(arch, config)).map(({ shape }) => shape);
  return NUMBER_BYTES[precision] * shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
}

/**
 * The graph behind {@link openNetwork}, whose weights point into their file.
 *
 * @throws as `openNetwork`
 */
export async function featureGraph(
  weights: ResolvedWeights,
  plan: FeaturePlan,
  viewsPerPhoto: number,
): Promise<FeatureGraph> {
  const backbone = makeBackbone(weights.arch, weights.config);
  const file = await openSafetensors(weights.path);
  checkWeights(backbone, file);
  const size = viewSize(backbone, weights, plan);
  const batch = size <= LARGEST_BATCHED_SIDE ? batchOf(viewsPerPhoto) : 1;
  const scope = Scope.root({ random: randomStream(0), trainable: () => false }).from(file);
  return {
    size,
    batch,
    readsClsAlone: readsClsAlone(backbone, plan),
    features(views) {
      const pooled = viewFeatures(backbone, scope, views, plan);
      return reshape(pooled, [lengthAt(pooled.shape, 0), -1]);
    },
  };
}

/** The largest batch that cuts so many views into equal ones. */
function batchOf(views: number): number {
  let batch = Math.min(views, MOST_BATCHED);
  while (views % batch !== 0) batch--;
  return batch;
}

/**
 * The side of a view, pixels: as the plan says, else as the weights were made for.
 *
 * @throws UsageError when the backbone cannot take it, or was made for pictures that are no squares and the plan says nothing
 */
export function viewSize(
  backbone: Backbone,
  { preprocessing }: ResolvedWeights,
  { size }: FeaturePlan,
): number {
  const [height, width] = preprocessing.inputSize;
  const { multipleOf, native, fixed } = backbone.inputSize;
  if (typeof size === 'string') {
    const multiples = Math.max(1, Math.round(Number(size.slice(1)) / multipleOf));
    return fixed ? Math.max(...(native ?? [height, width])) : multiples * multipleOf;
  }
  if (size === null && height !== width) {
    throw new UsageError(
      `${weightsName(backbone)} was made for pictures of ${height} × ${width}, but views are squares; choose their ` +
        `size, ${fixed ? 'which this architecture does not leave open' : `a multiple of ${multipleOf}`} (--size, or input.size in recipes)`,
    );
  }
  const side = size ?? height;
  const isNative = native !== undefined && native[0] === side && native[1] === side;
  if (isNative || (!fixed && side % multipleOf === 0)) return side;
  const choice = fixed ? native?.join(' × ') : `a multiple of ${multipleOf}`;
  throw new UsageError(`${weightsName(backbone)} cannot take views of ${side} pixels; choose ${choice}`);
}

const weightsName = ({ arch, width }: Backbone): string => `${arch} of width ${width}`;

async function runBatches(
  program: Program,
  views: Float32Array,
  count: number,
  { batch, size, width }: { readonly batch: number; readonly size: number; readonly width: number },
): Promise<Float32Array> {
  const result = new Float32Array(count * width);
  const pixels = 3 * size * size;
  for (let first = 0; first < count; first += batch) {
    const images = views.subarray(first * pixels, (first + batch) * pixels);
    const { features } = await program.run({ images });
    result.set(features?.values as Float32Array, first * width);
  }
  return result;
}
