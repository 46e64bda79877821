import { z } from 'zod';
import { UsageError } from '../../ground/errors.ts';
import { VIEW_PLANS, type ViewCut, type ViewPlan, viewCount, viewHalves } from '../preprocess/views.ts';

/**
 * How a set of tokens becomes one vector: the CLS token, the mean of the patch tokens, their largest values, several
 * of these side by side, their generalised mean (p = 3), mean and standard deviation at every resolution (`stages`), or
 * the backbone's own pooled output (attention pool, normed CLS, mean …). With `patches` it does not: the patch tokens
 * stay a map of `grid` × `grid`.
 */
export const POOLINGS = [
  'cls',
  'mean',
  'max',
  'cls-mean',
  'cls-max',
  'mean-max',
  'cls-mean-max',
  'gem',
  'stages',
  'pooled',
  'patches',
] as const;
export type Pooling = (typeof POOLINGS)[number];

export const PRECISIONS = ['fp32', 'int8', 'int4'] as const;
export type Precision = (typeof PRECISIONS)[number];

/** What becomes of the vectors of a photo's views. */
export const COMBINATIONS = ['mean', 'all', 'keep'] as const;

/** A block by its number from 0, or by its share of the last one's number: `17/23` is block 17 of 24, 8 of 12. */
const blockSchema = z.union([z.int().nonnegative(), z.string().regex(/^\d+\/[1-9]\d*$/)]);
export type BlockChoice = z.output<typeof blockSchema>;

/** More windows than this along one side are a slip of the hand. */
const MOST = 32;

/** Rounding of a share such as 1/3, which is no decimal number. */
const SLACK = 1e-9;

/** A number, or a fraction such as `2/3`. */
const shareSchema = z.preprocess(
  (value) => {
    const fraction = typeof value === 'string' && /^(\d+)\/([1-9]\d*)$/.exec(value.trim());
    return fraction ? Number(fraction[1]) / Number(fraction[2]) : value;
  },
  z.number().positive({ abort: true }).max(1),
);

const countSchema = z.int().positive({ abort: true }).max(MOST);

/** How windows stand in a photo (see `WindowGrid`): side as a share of its shorter side, along the longer, the shorter. */
const windowSettings = z
  .strictObject({
    side: shareSchema
      .default(2 / 3)
      .describe('side of a window as a share of the photo’s shorter side, as 2/3'),
    across: countSchema.default(5).describe('windows along the longer side'),
    down: countSchema.default(2).describe('windows along the shorter side'),
  })
  .refine(({ side, across, down }) => side * Math.min(across, down) >= 1 - SLACK, {
    error: 'side × across and side × down must be 1 or more, or windows leave gaps; raise what is too small',
  });

export type WindowSettings = z.output<typeof windowSettings>;

/** What of a plan windows are part of. */
interface WithWindows {
  readonly view: ViewPlan;
  readonly windows?: WindowSettings | undefined;
}

/**
 * A plan whose windows have their settings, in one place whether they were given or not. Other views have none: plans
 * and recipes without windows are those of before there were any, down to their fingerprints.
 */
export function completeWindows<Plan extends WithWindows>(
  plan: Plan,
  context: z.RefinementCtx,
): Omit<Plan, 'windows'> & { readonly windows?: WindowSettings | undefined } {
  const { windows, ...others } = plan;
  if (plan.view === 'windows') return { ...others, windows: windows ?? windowSettings.parse({}) };
  if (windows !== undefined) {
    const message = `view ${plan.view} has none; choose view windows, or leave these settings out`;
    context.addIssue({ code: 'custom', path: ['windows'], message });
  }
  return others;
}

/** What is taken of each photo; `z.input` of it has all but nothing required. To be completed by `completeWindows`. */
export const featurePlanSchema = z.strictObject({
  view: z
    .enum(VIEW_PLANS)
    .default('halves')
    .describe(
      'how a photo is cut: not at all, left ‖ right, 2 × 2 tiles a half, or windows that slide over it',
    ),
  /** Of view windows alone: absent elsewhere. */
  windows: windowSettings.optional(),
  upright: z
    .enum(['turn'])
    .optional()
    .describe(
      'turn: an upright photo is laid on its side first, as quadrats lie; absent: it is taken as it is',
    ),
  combine: z
    .enum(COMBINATIONS)
    .default('mean')
    .describe(
      'whether the tiles of a half, or all windows, are averaged (mean), the halves as well (all), or kept one ' +
        'after another',
    ),
  size: z
    .union([z.int().positive(), z.string().regex(/^~[1-9]\d*$/)])
    .nullable()
    .default(null)
    .describe(
      'side of a view, pixels; ~512: the nearest the backbone takes; null: as the weights were made for',
    ),
  blocks: z
    .preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(blockSchema))
    .default([])
    .describe(
      'blocks whose raw output is pooled, from 0 or as 17/23; empty: the last, normed, or as the pooling has it',
    ),
  pooling: z.enum(POOLINGS).default('pooled').describe('how tokens become one vector, or a map (patches)'),
  grid: z.int().positive().default(8).describe('side of the map that pooling patches keeps of a view'),
  precision: z.enum(PRECISIONS).default('fp32').describe('what the backbone’s linear layers are kept in'),
});

export type FeaturePlan = z.output<typeof featurePlanSchema>;

const completePlan = featurePlanSchema.transform(completeWindows);

/**
 * A plan with its defaults.
 *
 * @throws UsageError listing what does not suit
 */
export function featurePlan(draft: z.input<typeof featurePlanSchema>): FeaturePlan {
  const parsed = completePlan.safeParse(draft);
  if (!parsed.success) {
    throw new UsageError(
      parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
    );
  }
  if (parsed.data.blocks.length > 0 && parsed.data.pooling === 'pooled') {
    throw new UsageError(
      'pooling "pooled" is of the last block; choose cls, mean, cls-mean, gem or stages for blocks',
    );
  }
  const { pooling, view } = parsed.data;
  if (pooling === 'patches' && (view === 'tiles' || view === 'windows')) {
    throw new UsageError(
      'pooling "patches" keeps a map of a whole or half photo; choose view whole or halves',
    );
  }
  if (pooling === 'patches' && parsed.data.combine === 'all') {
    throw new UsageError('pooling "patches" keeps where in the photo a patch is; choose combine mean');
  }
  return parsed.data;
}

/** What of a plan decides how views become a photo's features. */
type Combination = Pick<FeaturePlan, 'view' | 'windows' | 'combine' | 'pooling' | 'grid'>;

/** How a plan cuts photos. */
export function viewCut({ view, windows }: Pick<FeaturePlan, 'view' | 'windows'>): ViewCut {
  return view === 'windows' ? (windows ?? windowSettings.parse({})) : view;
}

/** How a photo's features are arranged: halves × parts × width; parts are tiles, windows or patches, row by row. */
export function featureLayout(plan: Combination): {
  readonly halves: 1 | 2;
  readonly parts: number;
} {
  const cut = viewCut(plan);
  if (plan.combine === 'all') return { halves: 1, parts: 1 };
  const halves = viewHalves(cut);
  const kept = plan.combine === 'keep' ? viewCount(cut) / halves : 1;
  return { halves, parts: kept * (plan.pooling === 'patches' ? plan.grid ** 2 : 1) };
}

/** The numbers of a plan's blocks in a backbone of so many. */
export function blockNumbers(blocks: readonly BlockChoice[], depth: number): number[] {
  return blocks.map((block) => {
    if (typeof block === 'number') return block;
    const [part = 0, whole = 1] = block.split('/').map(Number);
    return Math.round((part / whole) * (depth - 1));
  });
}

/** Width of a photo's features from the width of a view's, patches and all. */
export function combinedWidth(plan: Combination, width: number): number {
  const { halves, parts } = featureLayout(plan);
  return plan.pooling === 'patches' ? halves * width : halves * parts * width;
}

/**
 * One vector a photo from those of its views: one after another, left before right half; or the mean of the four
 * tiles of each half, left ‖ right; or the mean of all.
 *
 * @param views [views, width] in the order of `viewBoxes`
 */
export function combineViews(plan: Combination, views: Float32Array, width: number): Float64Array {
  const { halves } = featureLayout(plan);
  const averaged = views.length / (halves * width);
  if (averaged === 1 || plan.combine === 'keep') return Float64Array.from(views);
  const combined = new Float64Array(halves * width);
  views.forEach((value, at) => {
    const half = Math.floor(at / (averaged * width));
    const column = half * width + (at % width);
    combined[column] = (combined[column] as number) + value / averaged;
  });
  return combined;
}
