import { z } from 'zod';

const probability = z.number().min(0).max(1).default(0);

/** Two ends of a range; one number is both. */
function range(smallest: number, largest: number, standard: readonly [number, number]) {
  const end = z.number().min(smallest).max(largest);
  return z
    .union([end.transform((value): [number, number] => [value, value]), z.tuple([end, end])])
    .refine(([low, high]) => low <= high, 'the first end of a range must not exceed the second')
    .default([...standard]);
}

/**
 * An operation's settings, its probability first; left out, it is never applied.
 *
 * @param what it does, after the word `probability`
 */
function operation<Shape extends z.ZodRawShape>(what: string, ranges: Shape) {
  // Every range has a default, which the type variable does not tell.
  const own = { probability: probability.describe(`probability ${what}`), ...ranges };
  return z.strictObject(own).prefault({} as never);
}

/** How far a value may go to either side. */
function reach(largest: number, standard: number) {
  return z.number().min(0).max(largest).default(standard);
}

/**
 * The operations by name, in the order they are applied: marks first, so that what follows treats made ones
 * as it treats real ones. Lengths are shares of the view's side (so that one
 * setting serves every input size) except where pixels are named.
 */
const operationSettings = {
  dateStampRemoval: operation('of taking an orange printed date out of a corner', {}),
  redDotRemoval: operation('of taking the red light spots of a sensor out', {}),
  dateStamp: operation('of a date printed in orange figures in a corner', {
    height: range(0.01, 0.2, [0.035, 0.06]).describe('height of the figures as a share of the side'),
  }),
  redDots: operation('of one or two rows of red light spots', {
    diameter: range(0.01, 0.3, [0.04, 0.09]).describe('diameter of a spot as a share of the side'),
  }),
  horizontalFlip: operation('of mirroring left and right', {}),
  verticalFlip: operation('of mirroring top and bottom', {}),
  quarterTurns: operation('of turning by 90°, 180° or 270°', {}),
  shiftScaleRotate: operation('of shifting, scaling and rotating about the middle', {
    shift: reach(0.9, 0.1).describe('± share of the side'),
    scale: reach(0.9, 0.15).describe('factor 1 ± this'),
    rotate: reach(180, 15).describe('± degrees'),
  }),
  randomShrink: operation('of the view shrunk and laid somewhere on a black canvas of its size', {
    factor: range(0.05, 1, [0.85, 1]).describe('factor of the side'),
  }),
  brightness: operation('of a factor on every channel', { range: reach(1, 0.2).describe('factor 1 ± this') }),
  contrast: operation('of a factor on the distance from the view’s mean luma', {
    range: reach(1, 0.2).describe('factor 1 ± this'),
  }),
  saturation: operation('of a factor on the distance from each pixel’s luma', {
    range: reach(1, 0.3).describe('factor 1 ± this'),
  }),
  hue: operation('of a rotation about the grey axis', {
    range: reach(0.5, 0.05).describe('± share of a full turn'),
  }),
  colourJitter: operation('of brightness, contrast, saturation and hue in random order', {
    brightness: reach(1, 0.2).describe('factor 1 ± this'),
    contrast: reach(1, 0.2).describe('factor 1 ± this'),
    saturation: reach(1, 0.3).describe('factor 1 ± this'),
    hue: reach(0.5, 0.05).describe('± share of a full turn'),
  }),
  brightnessContrast: operation('of a factor on every channel and something added', {
    brightness: reach(1, 0.2).describe('± share of full scale added'),
    contrast: reach(1, 0.2).describe('factor 1 ± this'),
  }),
  hueSaturationValue: operation('of shifts in HSV', {
    hue: reach(180, 20).describe('± degrees'),
    saturation: reach(255, 20).describe('± grey levels of 255'),
    value: reach(255, 20).describe('± grey levels of 255'),
  }),
  gaussianNoise: operation('of independent normal noise a channel', {
    variance: range(0, 10_000, [10, 50]).describe('its variance, squared grey levels'),
  }),
  gaussianBlur: operation('of a Gaussian blur', {
    deviation: range(0.1, 20, [0.8, 1.1]).describe('its standard deviation, pixels'),
  }),
  motionBlur: operation('of a blur in one direction', {
    length: range(1, 99, [3, 5]).describe('its length, pixels'),
  }),
  coarseDropout: operation('of holes', {
    holes: range(1, 1000, [1, 8]).describe('their number'),
    side: range(0.001, 1, [1 / 32, 1 / 16]).describe('their width and height as shares of the view’s side'),
    fill: z.enum(['black', 'mean']).default('black').describe('what they are filled with'),
  }),
};

/** Names of the operations in the order they are applied. */
export const OPERATION_NAMES = Object.keys(operationSettings) as (keyof typeof operationSettings)[];
export type OperationName = (typeof OPERATION_NAMES)[number];

const allSettings = z.strictObject({
  preset: z
    .enum(['none', 'light', 'seed1', 'heavy', 'first-place', 'marks'])
    .default('none')
    .describe('what settings start from; augmentation=NAME says the same'),
  ...operationSettings,
  oneOf: z
    .array(
      z.strictObject({
        probability: probability.describe('probability of one of the group being applied'),
        among: z
          .array(z.enum(OPERATION_NAMES))
          .min(1)
          .describe('operations; their own probabilities are weights'),
      }),
    )
    .default([])
    .describe('groups of operations of which at most one is applied'),
  batch: z
    .strictObject({
      probability: probability.describe('probability of a batch’s photos being mixed with one another'),
      mixupAlpha: z.number().min(0).default(0.4).describe('α of mixup; 0 leaves cutmix alone'),
      cutmixAlpha: z.number().min(0).default(1).describe('α of cutmix; 0 leaves mixup alone'),
    })
    .prefault({}),
});

/** Augmentation as resolved: every operation has its probability and its range. */
export type AugmentationSettings = z.output<typeof allSettings>;
export type PresetName = AugmentationSettings['preset'];
type Draft = { readonly [Name in keyof AugmentationSettings]?: unknown };

const FLIPS: Draft = { horizontalFlip: { probability: 0.5 }, verticalFlip: { probability: 0.5 } };

/** Where the presets differ from doing nothing. */
const PRESETS: Readonly<Record<PresetName, Draft>> = {
  none: {},
  light: {
    ...FLIPS,
    brightness: { probability: 0.5, range: 0.1 },
    contrast: { probability: 0.5, range: 0.1 },
    saturation: { probability: 0.5, range: 0.1 },
  },
  seed1: {
    ...FLIPS,
    quarterTurns: { probability: 0.5 },
    shiftScaleRotate: { probability: 0.5, shift: 0, scale: 0, rotate: 15 },
    colourJitter: { probability: 0.5, brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.05 },
  },
  heavy: {
    ...FLIPS,
    quarterTurns: { probability: 0.5 },
    shiftScaleRotate: { probability: 0.5 },
    colourJitter: { probability: 1 },
    brightnessContrast: { probability: 1 },
    hueSaturationValue: { probability: 1 },
    gaussianNoise: { probability: 1 },
    gaussianBlur: { probability: 1 },
    motionBlur: { probability: 1 },
    oneOf: [
      { probability: 0.7, among: ['colourJitter', 'brightnessContrast', 'hueSaturationValue'] },
      { probability: 0.3, among: ['gaussianNoise', 'gaussianBlur', 'motionBlur'] },
    ],
    coarseDropout: { probability: 0.3 },
    batch: { probability: 0.5 },
  },
  'first-place': { ...FLIPS, randomShrink: { probability: 0.2 } },
  marks: { ...FLIPS, dateStamp: { probability: 0.25 }, redDots: { probability: 0.05 } },
};

/** Names of the presets. */
export const PRESET_NAMES = Object.keys(PRESETS) as PresetName[];

/**
 * Augmentation as written in a recipe: the name of a preset (`heavy`), or an object whose `preset` (default
 * `none`) is the start and whose other members change it one by one
 * (`{ "preset": "seed1", "dateStamp": { "probability": 0.25 } }`). What comes out is complete, and gives
 * itself when parsed again.
 */
export const augmentationSettings = z.preprocess(withPreset, allSettings);

/** Settings of a preset. */
export function augmentationPreset(name: PresetName): AugmentationSettings {
  return augmentationSettings.parse(name);
}

/** Whether any picture can come out changed; mixing of batches is apart. */
export function changesPictures(settings: AugmentationSettings): boolean {
  const grouped = new Set(settings.oneOf.flatMap((group) => group.among));
  const inGroup = settings.oneOf.some(
    (group) => group.probability > 0 && group.among.some((name) => settings[name].probability > 0),
  );
  return inGroup || OPERATION_NAMES.some((name) => !grouped.has(name) && settings[name].probability > 0);
}

function withPreset(written: unknown): unknown {
  const draft: unknown = typeof written === 'string' ? { preset: written } : written;
  if (typeof draft !== 'object' || draft === null || Array.isArray(draft)) return draft;
  const name: unknown = 'preset' in draft ? draft.preset : 'none';
  const start = PRESET_NAMES.find((known) => known === name);
  return start === undefined ? draft : merged(PRESETS[start], draft);
}

/** Members of `changes` over those of `start`; what is an object in both is merged in turn. */
function merged(start: object, changes: object): object {
  const result: Record<string, unknown> = { ...start };
  for (const [key, value] of Object.entries(changes)) {
    const before = result[key];
    result[key] = isPlain(before) && isPlain(value) ? merged(before, value) : value;
  }
  return result;
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
