import { pinOf } from './pins.ts';

/** How a photo becomes a network's input; belongs to the weights. */
export interface Preprocessing {
  /** Height and width in pixels the weights were trained (or last tuned) at. */
  readonly inputSize: readonly [height: number, width: number];
  /** The size timm evaluates at, where it is another one. */
  readonly testInputSize?: readonly [height: number, width: number];
  /** Per channel red, green, blue, of values in [0, 1]. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  readonly interpolation: 'bicubic' | 'bilinear' | 'nearest' | 'lanczos';
  /** The side of the crop as a fraction of the resized photo's. */
  readonly cropFraction: number;
  /** That fraction at `testInputSize`. */
  readonly testCropFraction?: number;
  /** `center` keeps the proportions and cuts the sides off; `squash` resizes both sides alike. */
  readonly cropMode: 'center' | 'squash';
}

/** Names of the architectures, as the golden cases and `src/vision/backbones` have them. */
export type ArchitectureName =
  | 'dinov2'
  | 'dinov3'
  | 'siglip'
  | 'convnext'
  | 'swinv2'
  | 'efficientnet'
  | 'efficientnetv2';

/** An architecture's configuration as its `case.json` has it; `makeBackbone` checks it. */
export type BackboneConfig = Readonly<Record<string, unknown>>;

/** How timm pools the last features: CLS after the norm, mean of patches or places, or a learned query. */
export type Pooling = 'cls' | 'patch-mean' | 'mean' | 'attention';

export type LicenceName = 'Apache-2.0' | 'MIT' | 'DINOv3';

/** Published weights: what they are, where they lie, and how photos are prepared for them. */
export interface CatalogueEntry {
  /** timm's name of model and weights. */
  readonly name: string;
  readonly arch: ArchitectureName;
  readonly config: BackboneConfig;
  /** Hub repository, `organisation/name`. */
  readonly repository: string;
  /** Commit, or a branch where no commit is known. */
  readonly revision: string;
  readonly file: string;
  /** Whose names the file's tensors have; Hugging Face's are converted after pulling. */
  readonly layout: 'timm' | 'huggingface';
  /** Exact size of the file; null where it has not been seen. */
  readonly bytes: number | null;
  /** Bytes of the tensors, computed from their shapes; the file has some kilobytes of header more. */
  readonly dataBytes: number;
  /** SHA-256 of the file, hexadecimal; null where it has not been seen. */
  readonly sha256: string | null;
  readonly licence: LicenceName;
  /** Whether the hub asks to accept terms before it hands the file out. */
  readonly gated: boolean;
  readonly preprocessing: Preprocessing;
  /** Width of the pooled features. */
  readonly width: number;
  /** Trainable parameters without the head for classes. */
  readonly parameters: number;
  readonly pooling: Pooling;
}

/** Means and deviations of ImageNet. */
export const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

/** [0, 1] to [−1, 1]. */
export const HALVES = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const;

/** The part of an entry that says where its file lies. */
export type Source = Pick<
  CatalogueEntry,
  'name' | 'repository' | 'revision' | 'file' | 'layout' | 'bytes' | 'sha256' | 'gated'
>;

/** Where all of timm's weights lie: a repository each, one file, no gate. */
export function timmSource(name: string): Source {
  return {
    name,
    repository: `timm/${name}`,
    file: 'model.safetensors',
    layout: 'timm',
    ...pinOf(name),
    gated: false,
  };
}

/** Meta's own copies of DINOv3: a repository each, whose terms must be accepted on the hub. */
export function metaSource(name: string): Source {
  const repository = `facebook/${name}`;
  return {
    ...timmSource(repository),
    repository,
    layout: 'huggingface',
    gated: true,
  };
}

/** Bytes of float32 parameters and a linear head for `classes` (0: none). */
export function float32Bytes(parameters: number, classes: number, width: number): number {
  return 4 * (parameters + classes * (width + 1));
}
