import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../../ground/errors.ts';
import { CATALOGUE, findBackbone } from '../catalogue/catalogue.ts';
import type { ArchitectureName, BackboneConfig, Preprocessing } from '../catalogue/entry.ts';
import { originSchema, type WeightsOrigin } from '../origin.ts';

/** What a person or the weights' publisher says of them, in files beside them. */
export interface Stated {
  readonly arch?: ArchitectureName;
  readonly config: BackboneConfig;
  readonly preprocessing: Partial<Preprocessing>;
  /** What they were trained further from. */
  readonly origin?: WeightsOrigin;
  /** The file that says so; for messages. */
  readonly from: string;
}

const ARCHITECTURES = [
  'dinov2',
  'dinov3',
  'siglip',
  'convnext',
  'swinv2',
  'efficientnet',
  'efficientnetv2',
] as const satisfies readonly ArchitectureName[];

const triple = z.tuple([z.number(), z.number(), z.number()]);
const pair = z.tuple([z.int().positive(), z.int().positive()]);
const interpolation = z.enum(['bicubic', 'bilinear', 'nearest', 'lanczos']);
const cropMode = z.enum(['center', 'squash']);

/** sward's own description of weights. */
const swardSchema = z.object({
  arch: z.enum(ARCHITECTURES),
  config: z.record(z.string(), z.unknown()),
  preprocessing: z
    .strictObject({
      inputSize: pair,
      mean: triple,
      std: triple,
      interpolation,
      cropFraction: z.number(),
      cropMode,
    })
    .partial()
    .default({}),
  origin: originSchema.optional(),
});

const timmConfigSchema = z.object({
  mean: triple.optional().catch(undefined),
  std: triple.optional().catch(undefined),
  input_size: z.tuple([z.int(), z.int().positive(), z.int().positive()]).optional().catch(undefined),
  interpolation: interpolation.optional().catch(undefined),
  crop_pct: z.number().positive().optional().catch(undefined),
  crop_mode: cropMode.optional().catch(undefined),
  tag: z.string().optional().catch(undefined),
});

/** timm's `config.json`: what its `push_to_hf_hub` writes. */
const timmSchema = z.object({
  architecture: z.string(),
  pretrained_cfg: timmConfigSchema.optional(),
});

const side = z.union([z.int().positive(), pair]);

/** Hugging Face's `config.json`; of a model with a text tower, its `vision_config`. */
const huggingFaceSchema = z.object({
  model_type: z.string(),
  num_attention_heads: z.int().positive().optional().catch(undefined),
  image_size: side.optional().catch(undefined),
  window_size: z.int().positive().optional().catch(undefined),
  pretrained_window_sizes: z.array(z.int().nonnegative()).optional().catch(undefined),
  hidden_act: z.string().optional(),
});

const imageSide = z.object({
  height: z.int().positive().optional(),
  width: z.int().positive().optional(),
  shortest_edge: z.int().positive().optional(),
});

/** Hugging Face's `preprocessor_config.json`. */
const preprocessorSchema = z.object({
  image_mean: triple.optional().catch(undefined),
  image_std: triple.optional().catch(undefined),
  resample: z.int().optional().catch(undefined),
  size: imageSide.optional().catch(undefined),
  crop_size: imageSide.optional().catch(undefined),
  do_center_crop: z.boolean().optional().catch(undefined),
});

/** PIL's numbers of its filters. */
const PIL_FILTERS: Readonly<Record<number, Preprocessing['interpolation']>> = {
  0: 'nearest',
  1: 'lanczos',
  2: 'bilinear',
  3: 'bicubic',
};

const MODEL_TYPES: Readonly<Record<string, ArchitectureName>> = {
  dinov2: 'dinov2',
  dinov2_with_registers: 'dinov2',
  dinov3_vit: 'dinov3',
  dinov3_convnext: 'convnext',
  siglip_vision_model: 'siglip',
  convnext: 'convnext',
  swinv2: 'swinv2',
};

/**
 * What the files beside weights state: `<name>.json`, `sward.json` or `config.json` of sward (`arch`, `config`,
 * `preprocessing`), else timm's or Hugging Face's `config.json` and `preprocessor_config.json`.
 *
 * @throws InputError where one cannot be read as what it should be
 */
export async function statedBeside(weightsPath: string): Promise<Stated | undefined> {
  const folder = dirname(weightsPath);
  for (const path of [descriptionPath(weightsPath), join(folder, 'sward.json')]) {
    const value = await readJson(path);
    if (value !== undefined) return fromSward(value, path);
  }
  const path = join(folder, 'config.json');
  const value = await readJson(path);
  if (value === undefined) return undefined;
  if (typeof value === 'object' && value !== null && 'arch' in value) return fromSward(value, path);
  const timm = timmSchema.safeParse(value);
  if (timm.success) return fromTimm(timm.data, path);
  return fromHuggingFace(value, path, await readJson(join(folder, 'preprocessor_config.json')));
}

/** Where sward's own description of weights lies: the file's name with `.json` in place of its ending. */
export function descriptionPath(weightsPath: string): string {
  return weightsPath.replace(/(\.(safetensors|pth|pt|bin))?$/, '.json');
}

function fromSward(value: unknown, path: string): Stated {
  const parsed = swardSchema.safeParse(value);
  if (parsed.success) {
    const { origin, preprocessing, ...stated } = parsed.data;
    return {
      ...stated,
      preprocessing: defined(preprocessing),
      ...(origin && { origin }),
      from: path,
    };
  }
  throw new InputError(path, firstProblem(parsed.error), 'give arch, config and optionally preprocessing');
}

function fromTimm({ architecture, pretrained_cfg: cfg }: z.output<typeof timmSchema>, from: string): Stated {
  const named = cfg?.tag === undefined ? undefined : findBackbone(`${architecture}.${cfg.tag}`);
  const entry = named ?? CATALOGUE.find(({ name }) => name.startsWith(`${architecture}.`));
  const size = cfg?.input_size;
  return {
    ...(entry === undefined ? {} : { arch: entry.arch }),
    config: entry?.config ?? {},
    preprocessing: {
      ...named?.preprocessing,
      ...defined({
        mean: cfg?.mean,
        std: cfg?.std,
        inputSize: size === undefined ? undefined : ([size[1], size[2]] as const),
        interpolation: cfg?.interpolation,
        cropFraction: cfg?.crop_pct,
        cropMode: cfg?.crop_mode,
      }),
    },
    from,
  };
}

function fromHuggingFace(value: unknown, from: string, preprocessor: unknown): Stated | undefined {
  const vision = typeof value === 'object' && value !== null && 'vision_config' in value;
  const parsed = huggingFaceSchema.safeParse(vision ? value.vision_config : value);
  if (!parsed.success) return undefined;
  const config = parsed.data;
  const arch = MODEL_TYPES[config.model_type];
  const isTransformer = arch === 'dinov2' || arch === 'dinov3' || arch === 'siglip';
  const size = config.image_size;
  return {
    ...(arch === undefined ? {} : { arch }),
    config: defined({
      heads: isTransformer ? config.num_attention_heads : undefined,
      window: config.window_size,
      pretrainedWindows: config.pretrained_window_sizes,
      imgSize: size === undefined || arch === 'dinov3' || arch === 'convnext' ? undefined : bothSides(size),
      activation: arch === 'siglip' ? activationOf(config.hidden_act) : undefined,
    }),
    preprocessing: preprocessingOf(preprocessor),
    from,
  };
}

/** SigLIP's own default is the approximation. */
function activationOf(name: string | undefined): string {
  return name === 'gelu' ? 'gelu' : 'gelu_tanh';
}

function preprocessingOf(value: unknown): Partial<Preprocessing> {
  const parsed = preprocessorSchema.safeParse(value);
  if (!parsed.success) return {};
  const { image_mean, image_std, resample, size, crop_size, do_center_crop } = parsed.data;
  const isCropped = do_center_crop === true;
  const target = isCropped ? (crop_size ?? size) : size;
  const height = target?.height ?? target?.shortest_edge;
  const width = target?.width ?? target?.shortest_edge;
  const edge = size?.shortest_edge;
  return defined({
    mean: image_mean,
    std: image_std,
    interpolation: resample === undefined ? undefined : PIL_FILTERS[resample],
    inputSize: height === undefined || width === undefined ? undefined : ([height, width] as const),
    cropFraction: isCropped && edge !== undefined && height !== undefined ? height / edge : undefined,
    cropMode: size?.height !== undefined && !isCropped ? ('squash' as const) : undefined,
  });
}

function bothSides(size: z.output<typeof side>): readonly [number, number] {
  return typeof size === 'number' ? [size, size] : size;
}

/** The members that have a value. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    // Most weights come without.
    return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError(path, 'is not JSON', 'correct it, or take it away from beside the weights');
  }
}

function firstProblem({ issues }: z.ZodError): string {
  const [issue] = issues;
  return issue === undefined ? 'is not valid' : `${issue.path.join('.') || 'the whole'}: ${issue.message}`;
}
