/** Threads of one operator, on both sides: as many as the reference machine has cores. */
export const THREADS = 2;

/** Photos a batch, and folds, of all cases. */
export const BATCH = 4;
export const FOLDS = 5;

/** A backbone of random weights, at the size of its pictures. */
export interface BenchBackbone {
  readonly arch: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly size: number;
  /** timm's name for it. */
  readonly timm: string;
}

const VIT: BenchBackbone = {
  arch: 'dinov2',
  config: { patch: 14, dim: 384, depth: 12, heads: 6, imgSize: [392, 392] },
  size: 392,
  timm: 'vit_small_patch14_dinov2',
};

const CONVNEXT: BenchBackbone = {
  arch: 'convnext',
  config: { depths: [3, 3, 9, 3], dims: [96, 192, 384, 768] },
  size: 224,
  timm: 'convnext_tiny',
};

/** One way to fine-tune, of a size at which both sides take about a minute together. */
export interface RecipeCase {
  readonly name: string;
  readonly backbone: BenchBackbone;
  readonly mode: 'none' | 'last' | 'lora' | 'full';
  /** Blocks that mode last trains; stages, of convolutional nets. */
  readonly lastBlocks: number;
  /** Linear layers with adapters, by the ends of their names. */
  readonly loraTargets: readonly string[];
  readonly photos: number;
  readonly epochs: number;
  /** In how many ways sward augments a photo; null: in a new one every epoch, as PyTorch's side always does. */
  readonly draws: number | null;
}

const vit = { backbone: VIT, lastBlocks: 4, loraTargets: ['attn.qkv', 'attn.proj'] };
const convnext = { backbone: CONVNEXT, lastBlocks: 1, loraTargets: ['mlp.fc1', 'mlp.fc2'] };

export const CASES: readonly RecipeCase[] = [
  { name: 'ViT-S/14 392 frozen', ...vit, mode: 'none', photos: 10, epochs: 5, draws: 2 },
  { name: 'ViT-S/14 392 last 4 blocks', ...vit, mode: 'last', photos: 10, epochs: 4, draws: 2 },
  { name: 'ViT-S/14 392 LoRA', ...vit, mode: 'lora', photos: 10, epochs: 1, draws: null },
  { name: 'ViT-S/14 392 all', ...vit, mode: 'full', photos: 10, epochs: 1, draws: null },
  { name: 'ConvNeXt-T 224 frozen', ...convnext, mode: 'none', photos: 20, epochs: 6, draws: 2 },
  { name: 'ConvNeXt-T 224 last stage', ...convnext, mode: 'last', photos: 20, epochs: 5, draws: 2 },
  { name: 'ConvNeXt-T 224 LoRA', ...convnext, mode: 'lora', photos: 20, epochs: 2, draws: null },
  { name: 'ConvNeXt-T 224 all', ...convnext, mode: 'full', photos: 20, epochs: 2, draws: null },
];

export const LORA = { rank: 8, alpha: 16 } as const;
export const RATE = 1e-3;
export const BACKBONE_RATE = 0.1;
export const WEIGHT_DECAY = 0.01;

/** The recipe of a case as `--set` takes it, from `feature-mlp`: one linear layer behind the backbone. */
export function settingsOf(
  { backbone, mode, lastBlocks, loraTargets, epochs, draws }: RecipeCase,
  weights: string,
): string[] {
  const estimator = {
    members: 1,
    standardise: false,
    unit: 'gram',
    'mixup.probability': 0,
    'architecture.hidden': '[]',
    'loss.huber': 0,
    'loss.mse': 1,
    'loss.weights': 'alike',
    'optimizer.rate': RATE,
    'optimizer.weightDecay': WEIGHT_DECAY,
    'schedule.kind': 'constant',
    augmentation: 'light',
    batch: BATCH,
    epochs,
    'fineTune.mode': mode,
    ...(mode !== 'none' && { 'fineTune.backboneRate': BACKBONE_RATE }),
    ...(mode === 'last' && { 'fineTune.lastBlocks': lastBlocks }),
    ...(mode === 'lora' && {
      'fineTune.lora.rank': LORA.rank,
      'fineTune.lora.alpha': LORA.alpha,
      'fineTune.lora.targets': JSON.stringify(loraTargets),
    }),
    ...(draws !== null && { 'fineTune.draws': draws }),
  };
  return [
    `backbone=${weights}`,
    'input.view=whole',
    `input.size=${backbone.size}`,
    'input.pooling=pooled',
    ...Object.entries(estimator).map(([name, value]) => `estimator.${name}=${value}`),
  ];
}
