import { z } from 'zod';
import { UsageError } from '../../ground/errors.ts';
import type { Backbone, Size } from './backbone.ts';
import type { Layout } from './layout.ts';
import type { BackboneConfig, PublishedWeights } from './published.ts';

/** Names and shapes of tensors under timm's names. */
export type Shapes = ReadonlyMap<string, readonly number[]>;

/** What the shapes of a file's tensors tell of its configuration. */
export interface Recognised {
  /** Settings the shapes determine. */
  readonly config: BackboneConfig;
  /** Settings the shapes leave open, with the value usual for the width where there is one. */
  readonly open: Readonly<Record<string, unknown>>;
  /** What a learnt position embedding covers; of which picture (`imgSize`), its shape does not tell. */
  readonly positions?: {
    readonly patches: number;
    readonly patch: number;
    /** Positions before those of patches: that of CLS, where it has one. */
    readonly before: number;
  };
}

/** A kind of backbone: all that is known of it. Each stands in a file of its own, and in the list of `registry.ts`. */
export interface Architecture {
  /** `dinov2`: as recipes, descriptions of weights and the golden cases have it. */
  readonly arch: string;
  /** @throws UsageError when the configuration does not suit, listing every problem */
  make(config: unknown): Backbone;
  /** What names and shapes of tensors in timm's layout tell; undefined where they are of another architecture. */
  recognise(shapes: Shapes): Recognised | undefined;
  /** How other libraries name its tensors. */
  readonly layouts: readonly Layout[];
  /** What timm calls such models: of a `config.json` of timm's that names none like it, weights are of something else. */
  readonly timmName: RegExp;
  /** What timm's models of this kind can be made with, and the settings here that it stands for. */
  readonly timmArguments: Readonly<Record<string, string>>;
  /** `model_type`s of Hugging Face's `config.json`, and the settings that are taken from there. */
  readonly huggingFace: {
    readonly modelTypes: readonly string[];
    readonly settings: readonly HuggingFaceSetting[];
  };
  /** How timm pools the last features: CLS after the norm, mean of patches or places, or a learned query. */
  readonly pooling: 'cls' | 'patch-mean' | 'mean' | 'attention';
  /** Weights that can be pulled by name (timm's `default_cfgs`). */
  readonly weights: readonly PublishedWeights[];
}

/** Settings that Hugging Face's configurations state in one way for all architectures. */
export type HuggingFaceSetting = 'heads' | 'window' | 'pretrainedWindows' | 'imgSize' | 'activation';

/** An architecture from its name, the schema of its configuration, the function that builds it, and the rest. */
export function architecture<Schema extends z.ZodType>({
  schema,
  build,
  ...known
}: Omit<Architecture, 'make'> & {
  readonly schema: Schema;
  build(config: z.output<Schema>): Omit<Backbone, 'arch'>;
}): Architecture {
  const { arch } = known;
  return {
    ...known,
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

/** A whole number of at least 1: widths, depths, heads. */
export const countSchema = z.int().positive();

/** Height and width in pixels, or one number for both. */
export const sizeSchema = z
  .union([countSchema.transform((side): Size => [side, side]), z.tuple([countSchema, countSchema])])
  .transform(([height, width]): Size => [height, width]);

/** Length of a tensor's axis; undefined where there is no such tensor. */
export function lengthIn(shapes: Shapes, name: string, axis: number): number | undefined {
  return shapes.get(name)?.[axis];
}

/** How many numbers follow a prefix: one more than the highest N of `prefixN.…`. */
export function countIn(shapes: Shapes, prefix: string): number {
  const numbers = [...shapes.keys()]
    .filter((name) => name.startsWith(prefix))
    .map((name) => Number.parseInt(name.slice(prefix.length), 10))
    .filter(Number.isInteger);
  return Math.max(-1, ...numbers) + 1;
}
