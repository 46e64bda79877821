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

/** An architecture's configuration as its `case.json` has it; `makeBackbone` checks it. */
export type BackboneConfig = Readonly<Record<string, unknown>>;

/** What a person should know before using weights under a licence. */
export const LICENCE_NOTES = {
  'Apache-2.0': 'free to use, change and pass on, with the notice',
  MIT: 'free to use, change and pass on, with the notice',
  DINOv3:
    'commercial use allowed; weights and derivatives passed on stay under it with a copy, publications ' +
    'acknowledge it, military and ITAR uses are barred: https://ai.meta.com/resources/models-and-libraries/dinov3-license/',
} as const;

/** Published weights of an architecture: what they are, where they lie, and how photos are prepared for them. */
export interface PublishedWeights {
  /** timm's name of model and weights. */
  readonly name: string;
  /** Hub repository, `organisation/name`. */
  readonly repository: string;
  /** Commit, or a branch where no commit is known. */
  readonly revision: string;
  readonly file: string;
  /** Whose names the file's tensors have; Hugging Face's are converted after pulling. */
  readonly layout: 'timm' | 'huggingface';
  /** Exact size of the file; null where it has not been seen. */
  readonly bytes: number | null;
  /** SHA-256 of the file, hexadecimal; null where it has not been seen. */
  readonly sha256: string | null;
  /** Whether the hub asks to accept terms before it hands the file out. */
  readonly gated: boolean;
  readonly config: BackboneConfig;
  /** Bytes of the tensors, computed from their shapes; the file has some kilobytes of header more. */
  readonly dataBytes: number;
  readonly licence: keyof typeof LICENCE_NOTES;
  readonly preprocessing: Preprocessing;
  /** Width of the pooled features. */
  readonly width: number;
  /** Trainable parameters without the head for classes, counted by instantiating timm 1.0.29. */
  readonly parameters: number;
}

/**
 * Commit, bytes and SHA-256 of a file by its name, where known. Each was read in at least two public projects that
 * have nothing to do with one another (lock files, manifests, cache listings); nothing was computed or completed
 * here, and the hub itself was not asked.
 */
export type Pins = Readonly<Record<string, readonly [commit: string, bytes: number, sha256: string]>>;

/** What a file of weights has besides a backbone's float32 parameters. */
interface FileFacts {
  readonly pins?: Pins;
  /** Of the head; default 0: it has none. */
  readonly classes?: number;
  /** All but the head, where that is more than parameters. */
  readonly bodyBytes?: number;
}

/** Weights that timm publishes, as all of them lie: a repository each, one file, no gate. */
export function timmWeights(
  name: string,
  facts: Pick<PublishedWeights, 'config' | 'licence' | 'preprocessing' | 'width' | 'parameters'>,
  { pins = {}, classes = 0, bodyBytes = 4 * facts.parameters }: FileFacts = {},
): PublishedWeights {
  return {
    name,
    repository: `timm/${name}`,
    file: 'model.safetensors',
    layout: 'timm',
    ...pinned(name, pins),
    gated: false,
    dataBytes: bodyBytes + 4 * classes * (facts.width + 1),
    ...facts,
  };
}

/** Commit, size and checksum of a file; `main` and nothing else where they are not known. */
function pinned(name: string, pins: Pins): Pick<PublishedWeights, 'revision' | 'bytes' | 'sha256'> {
  const [revision, bytes, sha256] = pins[name] ?? ['main', null, null];
  return { revision, bytes, sha256 };
}

/**
 * DINOv3 from Meta itself: gated, in Hugging Face's layout, and prepared as transformers' processor of DINOv3 does
 * where the repository does not say otherwise. timm's copies of the same weights need no permission.
 *
 * @param twin timm's copy
 * @param moreBytes what the transformers' files hold besides
 */
export function metaDinov3(
  model: string,
  pins: Pins,
  twin: PublishedWeights | undefined,
  moreBytes: number,
): PublishedWeights {
  const name = `facebook/dinov3-${model}-pretrain-lvd1689m`;
  if (twin === undefined) throw new Error(`${name} has no twin of timm`);
  return {
    ...twin,
    ...pinned(name, pins),
    name,
    repository: name,
    layout: 'huggingface',
    gated: true,
    dataBytes: twin.dataBytes + moreBytes,
    preprocessing: {
      ...twin.preprocessing,
      inputSize: [224, 224],
      interpolation: 'bilinear',
      cropMode: 'squash',
    },
  };
}

/** Means and deviations of ImageNet. */
export const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

/** [0, 1] to [−1, 1]. */
export const HALVES = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const;

/** The middle of a photo, resized by cubic interpolation: what nearly all weights of timm take. */
export function centerCrop(
  side: number,
  cropFraction: number,
  { mean, std }: Pick<Preprocessing, 'mean' | 'std'> = IMAGENET,
): Preprocessing {
  return {
    inputSize: [side, side],
    mean,
    std,
    interpolation: 'bicubic',
    cropFraction,
    cropMode: 'center',
  };
}
