import { CATALOGUE } from '../catalogue/catalogue.ts';
import type { ArchitectureName, BackboneConfig } from '../catalogue/entry.ts';

/** Shapes of tensors under timm's names. */
export type Shapes = ReadonlyMap<string, readonly number[]>;

/** What the shapes of a file's tensors tell of its architecture. */
export interface Recognised {
  readonly arch: ArchitectureName;
  /** Settings the shapes determine. */
  readonly config: BackboneConfig;
  /** Settings the shapes leave open, with the value usual for the width where there is one. */
  readonly open: Readonly<Record<string, unknown>>;
}

/** Heads of published models by width: shapes do not show them, and a wrong guess would go unnoticed. */
const SIGLIP_HEADS: Readonly<Record<number, number>> = { 768: 12, 1024: 16, 1152: 16, 1536: 16 };
const DINO_HEADS: Readonly<Record<number, number>> = { 384: 6, 768: 12, 1024: 16, 1280: 20, 1536: 24 };

/**
 * Works out architecture and configuration from the names and shapes of tensors in timm's layout. What shapes
 * do not tell (heads, windows, TensorFlow's padding) is `open`.
 */
export function recogniseShapes(shapes: Shapes): Recognised | undefined {
  if (shapes.has('attn_pool.latent')) return siglip(shapes);
  if (shapes.has('blocks.0.gamma_1') && shapes.has('reg_token') && !shapes.has('pos_embed')) {
    return dinov3(shapes);
  }
  if (shapes.has('blocks.0.ls1.gamma') && shapes.has('cls_token')) return dinov2(shapes);
  if (shapes.has('stages.0.blocks.0.conv_dw.weight') && shapes.has('stem.1.weight')) return convnext(shapes);
  if (shapes.has('layers.0.blocks.0.attn.logit_scale')) return swinv2(shapes);
  if (shapes.has('conv_stem.weight') && shapes.has('conv_head.weight')) return efficientnet(shapes);
  return undefined;
}

function dinov2(shapes: Shapes): Recognised {
  const { dim, patch, depth } = transformer(shapes);
  const registers = length(shapes, 'reg_token', 1) ?? 0;
  const positions = length(shapes, 'pos_embed', 1) ?? 0;
  const inner = length(shapes, 'blocks.0.mlp.fc2.weight', 1);
  const isGated = length(shapes, 'blocks.0.mlp.fc1.weight', 0) === 2 * (inner ?? 0);
  const mlp = isGated ? { mlp: 'swiglu', mlpHidden: inner } : inner === 4 * dim ? {} : { mlpHidden: inner };
  return {
    arch: 'dinov2',
    config: { patch, dim, depth, ...square(positions - (registers > 0 ? 0 : 1), patch), registers, ...mlp },
    open: { heads: DINO_HEADS[dim] },
  };
}

function dinov3(shapes: Shapes): Recognised {
  const { dim, patch, depth } = transformer(shapes);
  const inner = length(shapes, 'blocks.0.mlp.fc2.weight', 1);
  return {
    arch: 'dinov3',
    config: {
      patch,
      dim,
      depth,
      registers: length(shapes, 'reg_token', 1) ?? 0,
      qkvBias: shapes.has('blocks.0.attn.q_bias'),
      mlp: shapes.has('blocks.0.mlp.fc1_g.weight') ? 'swiglu' : 'gelu',
      ...(inner === 4 * dim ? {} : { mlpHidden: inner }),
    },
    open: { heads: DINO_HEADS[dim] },
  };
}

function siglip(shapes: Shapes): Recognised {
  const { dim, patch, depth } = transformer(shapes);
  return {
    arch: 'siglip',
    config: {
      patch,
      dim,
      depth,
      ...square(length(shapes, 'pos_embed', 1) ?? 0, patch),
      mlpHidden: length(shapes, 'blocks.0.mlp.fc1.weight', 0),
    },
    open: { heads: SIGLIP_HEADS[dim] },
  };
}

function convnext(shapes: Shapes): Recognised | undefined {
  // Convolutions in place of linear layers, and V2's response normalisation, are other architectures.
  if (shapes.get('stages.0.blocks.0.mlp.fc1.weight')?.length !== 2) return undefined;
  if (!shapes.has('stages.0.blocks.0.gamma')) return undefined;
  const stages = countOf(shapes, /^stages\.(\d+)\./);
  const indices = Array.from({ length: stages }, (_, stage) => stage);
  return {
    arch: 'convnext',
    config: {
      depths: indices.map((stage) => countOf(shapes, new RegExp(`^stages\\.${stage}\\.blocks\\.(\\d+)\\.`))),
      dims: indices.map((stage) => length(shapes, `stages.${stage}.blocks.0.gamma`, 0)),
    },
    open: {},
  };
}

function swinv2(shapes: Shapes): Recognised {
  const stages = countOf(shapes, /^layers\.(\d+)\./);
  const indices = Array.from({ length: stages }, (_, stage) => stage);
  return {
    arch: 'swinv2',
    config: {
      dim: length(shapes, 'patch_embed.proj.weight', 0),
      depths: indices.map((stage) => countOf(shapes, new RegExp(`^layers\\.${stage}\\.blocks\\.(\\d+)\\.`))),
      heads: indices.map((stage) => length(shapes, `layers.${stage}.blocks.0.attn.logit_scale`, 0)),
    },
    open: { window: undefined, imgSize: undefined },
  };
}

/** The variants differ in repeats and widths; whether padding is TensorFlow's does not show in shapes. */
function efficientnet(shapes: Shapes): Recognised {
  const isV2 = shapes.has('blocks.1.0.conv_exp.weight');
  return {
    arch: isV2 ? 'efficientnetv2' : 'efficientnet',
    config: {},
    open: { variant: undefined },
  };
}

function transformer(shapes: Shapes): { dim: number; patch: number; depth: number } {
  return {
    dim: length(shapes, 'patch_embed.proj.weight', 0) ?? 0,
    patch: length(shapes, 'patch_embed.proj.weight', 2) ?? 0,
    depth: countOf(shapes, /^blocks\.(\d+)\./),
  };
}

/** The square picture of so many patches; nothing where they make none. */
function square(patches: number, patch: number): { imgSize?: readonly [number, number] } {
  const side = Math.sqrt(patches);
  return Number.isInteger(side) ? { imgSize: [side * patch, side * patch] } : {};
}

function length(shapes: Shapes, name: string, axis: number): number | undefined {
  return shapes.get(name)?.[axis];
}

/** One more than the highest number in the pattern's group. */
function countOf(shapes: Shapes, pattern: RegExp): number {
  const numbers = [...shapes.keys()].flatMap((name) => pattern.exec(name)?.[1] ?? []).map(Number);
  return numbers.length === 0 ? 0 : Math.max(...numbers) + 1;
}

/** The catalogue's name that a text (an architecture, a file's name) is or begins with: the longest. */
export function catalogueNameIn(text: string): (typeof CATALOGUE)[number] | undefined {
  const lower = text.toLowerCase();
  const suiting = CATALOGUE.filter((entry) => lower.startsWith(entry.name));
  return suiting.sort((a, b) => b.name.length - a.name.length)[0];
}
