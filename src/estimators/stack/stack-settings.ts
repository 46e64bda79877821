import { z } from 'zod';
import { reductionSettings } from '../reduction/reduction-settings.ts';
import { transformSettings } from '../target-transform/transform-settings.ts';

const setName = z.union([z.string().min(1), z.int().min(0)]);

/**
 * Which columns a member sees: `all`; `each`, for one member of this kind a feature set; or feature sets by name
 * or place (from 0). `descriptors.contrast`, `.form` and `.scatter` are views of the descriptors.
 */
const memberInput = z.union([setName, z.array(setName).min(1)]).default('all');

export type MemberInput = z.output<typeof memberInput>;

/** A stack of estimators of one kind or another; a stack within a stack is not among them. */
export function stackSettings<Learner extends z.ZodType>(estimator: Learner) {
  return z.strictObject({
    kind: z.literal('stack'),
    /** Whether members count by their weight, or a combination is fitted to what they predict for sessions left out. */
    combine: z.enum(['mean', 'fitted']).default('mean'),
    /** How strongly fitted weights are pulled to being equal, as a share of the members' mean squared error. */
    penalty: z.number().min(0).default(0.1),
    /**
     * How strongly the spread of a fitted mean is pulled to being left as it is, as a share of its own sum of
     * squares; null leaves it.
     */
    spreadPenalty: z.number().min(0).nullable().default(0.3),
    /** Folds of whole sessions that weights and spread are fitted on. */
    innerFolds: z.int().min(2).default(5),
    members: z
      .array(
        z.strictObject({
          input: memberInput,
          /** Of the mean; fitted weights do not ask for it. */
          weight: z.number().positive().default(1),
          reduction: reductionSettings.default({ kind: 'none' }),
          transform: transformSettings.default({ kind: 'none' }),
          estimator,
        }),
      )
      .min(1),
  });
}

/** What a stack needs to know of a member, whatever its estimator. */
export interface StackMember {
  readonly input: MemberInput;
  readonly weight: number;
}

/** A stack's settings as far as the stack itself reads them. */
export interface StackSettings<Member extends StackMember> {
  readonly combine: 'mean' | 'fitted';
  readonly penalty: number;
  readonly spreadPenalty: number | null;
  readonly innerFolds: number;
  readonly members: readonly Member[];
}
