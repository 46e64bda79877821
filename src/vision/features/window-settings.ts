import { z } from 'zod';
import type { ViewPlan } from '../preprocess/views.ts';

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
export const windowSettings = z
  .strictObject({
    side: shareSchema.default(2 / 3),
    across: countSchema.default(5),
    down: countSchema.default(2),
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
