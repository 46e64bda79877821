import { z } from 'zod';
import { type ColumnMember, memberInput } from '../member-columns.ts';
import { reductionSettings } from '../reduction/reduction-settings.ts';
import { transformSettings } from '../target-transform/transform-settings.ts';

/** A stack of estimators of one kind or another; a stack within a stack is not among them. */
export function stackSettings<Learner extends z.ZodType>(estimator: Learner) {
  return z.strictObject({
    kind: z.literal('stack'),
    combine: z
      .enum(['mean', 'fitted'])
      .default('mean')
      .describe('whether members count by their weight, or by weights fitted to sessions left out'),
    penalty: z
      .number()
      .min(0)
      .default(0.1)
      .describe('pull of fitted weights to being equal, as a share of the members’ mean squared error'),
    spreadPenalty: z
      .number()
      .min(0)
      .nullable()
      .default(0.3)
      .describe('pull of a fitted mean’s spread to being left as it is; null leaves it'),
    innerFolds: z
      .int()
      .min(2)
      .default(5)
      .describe('folds of whole sessions that weights and spread are fitted on'),
    members: z
      .array(
        z.strictObject({
          input: memberInput,
          weight: z.number().positive().default(1).describe('how much it counts in the mean; not if fitted'),
          reduction: reductionSettings.default({ kind: 'none' }),
          transform: transformSettings.default({ kind: 'none' }),
          estimator,
        }),
      )
      .min(1)
      .describe('estimators that are combined, each with reduction and transform of its own'),
  });
}

/** A stack's settings as far as the stack itself reads them. */
export interface StackSettings<Member extends ColumnMember> {
  readonly combine: 'mean' | 'fitted';
  readonly penalty: number;
  readonly spreadPenalty: number | null;
  readonly innerFolds: number;
  readonly members: readonly Member[];
}
