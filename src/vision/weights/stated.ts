import { dirname, join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../ground/errors.ts';
import { readTextIfThere } from '../../ground/whole-file.ts';
import {
  ARCHITECTURE_NAMES,
  ARCHITECTURES,
  type BackboneConfig,
  type HuggingFaceSetting,
  type Preprocessing,
  type Size,
} from '../backbones/index.ts';
import { CATALOGUE, findBackbone } from './catalogue.ts';
import { originSchema, type WeightsOrigin } from './origin.ts';

/** What a person or the weights' publisher says of them, in files beside them. */
export interface Stated {
  readonly arch?: string;
  /** The architecture that a published configuration names, where it is none that is known here. */
  readonly unknown?: { readonly name: string; readonly from: string };
  readonly config: BackboneConfig;
  readonly preprocessing: Partial<Preprocessing>;
  /** What they were trained further from. */
  readonly origin?: WeightsOrigin;
  /** Pictures that position embeddings may have been learnt for, the likeliest first. */
  readonly pictures: readonly StatedPicture[];
  /** What stands before the backbone's names in the file. */
  readonly prefix?: string;
  /** The file that says so; for messages. */
  readonly from: string;
}

/** A size of pictures, as a file states it. */
export interface StatedPicture {
  readonly size: Size;
  /** What it is called there, and where: `m.json states config.imgSize`. */
  readonly as: string;
  /** Whether it is that of the position embedding, and not only of pictures that were shown. */
  readonly isNative: boolean;
}

/** What cannot be read as it should be is as good as not there. */
const lenient = <Schema extends z.ZodType>(schema: Schema) => schema.optional().catch(undefined);

const triple = z.tuple([z.number(), z.number(), z.number()]);
const pair = z.tuple([z.int().positive(), z.int().positive()]);
const interpolation = z.enum(['bicubic', 'bilinear', 'nearest', 'lanczos']);
const cropMode = z.enum(['center', 'squash']);

/** sward's own description of weights; one that says which part of a file is meant need say nothing else. */
const swardSchema = z
  .object({
    arch: z.enum(ARCHITECTURE_NAMES).optional(),
    config: z.record(z.string(), z.unknown()).optional(),
    prefix: z.string().optional(),
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
  })
  .superRefine(({ arch, config, prefix }, context) => {
    if (prefix !== undefined) return;
    for (const [name, value] of Object.entries({ arch, config })) {
      if (value === undefined) context.addIssue({ code: 'custom', path: [name], message: 'is missing' });
    }
  });

const side = z.union([z.int().positive(), pair]);

const timmConfigSchema = z.object({
  mean: lenient(triple),
  std: lenient(triple),
  input_size: lenient(z.tuple([z.int(), z.int().positive(), z.int().positive()])),
  interpolation: lenient(interpolation),
  crop_pct: lenient(z.number().positive()),
  crop_mode: lenient(cropMode),
  img_size: lenient(side),
  tag: lenient(z.string()),
});

/** timm's `config.json`: what its `push_to_hf_hub` writes. */
const timmSchema = z.object({
  architecture: z.string(),
  pretrained_cfg: timmConfigSchema.optional(),
  /** What the model was made with that its name does not say. */
  model_args: lenient(z.looseObject({ img_size: lenient(side) })),
});

/** Hugging Face's `config.json`; of a model with a text tower, its `vision_config`. */
const huggingFaceSchema = z.object({
  model_type: z.string(),
  num_attention_heads: lenient(z.int().positive()),
  image_size: lenient(side),
  window_size: lenient(z.int().positive()),
  pretrained_window_sizes: lenient(z.array(z.int().nonnegative())),
  hidden_act: z.string().optional(),
});

const imageSide = z.object({
  height: z.int().positive().optional(),
  width: z.int().positive().optional(),
  shortest_edge: z.int().positive().optional(),
});

/** Hugging Face's `preprocessor_config.json`. */
const preprocessorSchema = z.object({
  image_mean: lenient(triple),
  image_std: lenient(triple),
  resample: lenient(z.int()),
  size: lenient(imageSide),
  crop_size: lenient(imageSide),
  do_center_crop: lenient(z.boolean()),
});

/** PIL's numbers of its filters. */
const PIL_FILTERS: Readonly<Record<number, Preprocessing['interpolation']>> = {
  0: 'nearest',
  1: 'lanczos',
  2: 'bilinear',
  3: 'bicubic',
};

/**
 * What the files beside weights state: `<name>.json`, `sward.json` or `config.json` of sward (`arch`, `config`,
 * `preprocessing`), else timm's or Hugging Face's `config.json` and `preprocessor_config.json`. What a description of
 * sward leaves out of the size of pictures, and of everything where it names a part of the file only, the latter add.
 *
 * @throws InputError where one cannot be read as what it should be
 */
export async function statedBeside(weightsPath: string): Promise<Stated | undefined> {
  const folder = dirname(weightsPath);
  for (const path of [descriptionPath(weightsPath), join(folder, 'sward.json')]) {
    const value = await readJson(path);
    if (value === undefined) continue;
    const described = fromSward(value, path);
    // Whatever else is called config.json there is no concern of a complete description.
    const others = await publishedBeside(folder).catch(() => undefined);
    return others ? completed(described, others) : described;
  }
  return publishedBeside(folder);
}

function completed(described: Stated, others: Stated): Stated {
  const { prefix } = described;
  // The whole may be called anything of which a part is meant.
  if (prefix !== undefined && others.unknown) return described;
  const isPartAlone = described.arch === undefined && Object.keys(described.config).length === 0;
  if (isPartAlone && prefix !== undefined) {
    const preprocessing = { ...others.preprocessing, ...described.preprocessing };
    return { ...others, prefix, preprocessing, pictures: [...described.pictures, ...others.pictures] };
  }
  return {
    ...described,
    ...(others.unknown && { unknown: others.unknown }),
    pictures: described.pictures.length > 0 ? described.pictures : others.pictures,
  };
}

/** What `config.json` states. */
async function publishedBeside(folder: string): Promise<Stated | undefined> {
  const path = join(folder, 'config.json');
  const value = await readJson(path);
  if (value === undefined) return undefined;
  if (typeof value === 'object' && value !== null && 'arch' in value) return fromSward(value, path);
  const timm = timmSchema.safeParse(value);
  if (timm.success) return fromTimm(timm.data, path);
  return fromHuggingFace(value, path, await readJson(join(folder, 'preprocessor_config.json')));
}

/** Where {@link statedBeside} looks. */
export const describedBeside = (weightsPath: string): string[] => [
  descriptionPath(weightsPath),
  ...['sward.json', 'config.json', 'preprocessor_config.json'].map((name) =>
    join(dirname(weightsPath), name),
  ),
];

/** Where sward's own description of weights lies: the file's name with `.json` in place of its ending. */
export function descriptionPath(weightsPath: string): string {
  return weightsPath.replace(/(\.(safetensors|pth|pt|bin|ckpt|pth\.tar))?$/, '.json');
}

/** What sward's own description of a checkpoint says of the prefix of its backbone, where there is one and it does. */
export async function statedPrefix(path: string): Promise<string | undefined> {
  const value = await readJson(descriptionPath(path)).catch(() => undefined);
  return z.object({ prefix: z.string() }).safeParse(value).data?.prefix;
}

function fromSward(value: unknown, path: string): Stated {
  const parsed = swardSchema.safeParse(value);
  if (parsed.success) {
    const { arch, config = {}, prefix, origin, preprocessing } = parsed.data;
    const native = side.safeParse(config.imgSize).data;
    return {
      ...(arch && { arch }),
      config,
      preprocessing: defined(preprocessing),
      ...(origin && { origin }),
      ...(prefix !== undefined && { prefix }),
      pictures: [
        ...stating(native, `${path} states config.imgSize`, true),
        ...stating(preprocessing.inputSize, `${path} states preprocessing.inputSize`, false),
      ],
      from: path,
    };
  }
  throw new InputError(path, firstProblem(parsed.error), 'give arch, config and optionally preprocessing');
}

const stating = (size: number | Size | undefined, as: string, isNative: boolean): readonly StatedPicture[] =>
  size === undefined ? [] : [{ size: bothSides(size), as, isNative }];

function fromTimm(
  { architecture, pretrained_cfg: cfg, model_args: made }: z.output<typeof timmSchema>,
  from: string,
): Stated {
  const named = cfg?.tag === undefined ? undefined : findBackbone(`${architecture}.${cfg.tag}`);
  const entry = named ?? CATALOGUE.find(({ name }) => name.startsWith(`${architecture}.`));
  const size = cfg?.input_size && ([cfg.input_size[1], cfg.input_size[2]] as const);
  const kind = ARCHITECTURES.find(({ arch, timmName }) =>
    entry === undefined ? timmName.test(architecture) : arch === entry.arch,
  );
  return {
    ...(entry === undefined ? {} : { arch: entry.arch }),
    ...(!kind && { unknown: { name: architecture, from } }),
    config: madeWith(entry?.config ?? {}, made ?? {}, kind?.timmArguments ?? {}),
    preprocessing: {
      ...named?.preprocessing,
      ...defined({
        mean: cfg?.mean,
        std: cfg?.std,
        inputSize: size,
        interpolation: cfg?.interpolation,
        cropFraction: cfg?.crop_pct,
        cropMode: cfg?.crop_mode,
      }),
    },
    pictures: [
      ...stating(made?.img_size, `${from} states model_args.img_size`, true),
      ...stating(cfg?.img_size, `${from} states pretrained_cfg.img_size`, false),
      ...stating(size, `${from} states pretrained_cfg.input_size`, false),
    ],
    from,
  };
}

/** A named model's configuration where it was made with arguments of its own. */
function madeWith(
  usual: BackboneConfig,
  made: Readonly<Record<string, unknown>>,
  known: Readonly<Record<string, string>>,
): BackboneConfig {
  const own = Object.entries(known).flatMap(([argument, setting]) => {
    const value = sizeArgument.safeParse(made[argument]);
    return value.success ? [[setting, value.data] as const] : [];
  });
  if (own.length === 0) return usual;
  // The hidden width follows from others, and the tensors tell it.
  const { mlpHidden: _, ...kept } = usual;
  return { ...kept, ...Object.fromEntries(own) };
}

const sizeArgument = z.union([z.int().nonnegative(), z.array(z.int().positive())]);

function fromHuggingFace(value: unknown, from: string, preprocessor: unknown): Stated | undefined {
  const parsed = huggingFaceSchema.safeParse(visionPart(value));
  if (!parsed.success) return undefined;
  const config = parsed.data;
  const { image_size: size } = config;
  const settings = {
    heads: config.num_attention_heads,
    window: config.window_size,
    pretrainedWindows: config.pretrained_window_sizes,
    imgSize: size === undefined ? undefined : bothSides(size),
    activation: config.hidden_act === 'gelu' ? 'gelu' : 'gelu_tanh',
  } satisfies Readonly<Record<HuggingFaceSetting, unknown>>;
  const known = ARCHITECTURES.find(({ huggingFace }) => huggingFace.modelTypes.includes(config.model_type));
  const taken = known?.huggingFace.settings ?? (['window', 'pretrainedWindows', 'imgSize'] as const);
  return {
    ...(known ? { arch: known.arch } : { unknown: { name: config.model_type, from } }),
    config: defined(Object.fromEntries(taken.map((name) => [name, settings[name]]))),
    preprocessing: preprocessingOf(preprocessor),
    pictures: stating(size, `${from} states image_size`, false),
    from,
  };
}

/** What of a Hugging Face configuration is about the backbone: all, or what a model with other parts says of that one. */
function visionPart(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('vision_config' in value) return value.vision_config;
  return 'backbone_config' in value && value.backbone_config !== null ? value.backbone_config : value;
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

function bothSides(size: number | Size): Size {
  return typeof size === 'number' ? [size, size] : size;
}

/** The members that have a value. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

async function readJson(path: string): Promise<unknown> {
  const text = await readTextIfThere(path);
  // Most weights come without.
  if (text === null) return undefined;
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
