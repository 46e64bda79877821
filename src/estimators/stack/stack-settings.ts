import { z } from 'zod';
import { type ColumnMember, memberInput } from '../member-columns.ts';
import { reductionSettings } from '../reduction/reduction-settings.ts';
import { transformSettings } from '../target-transform/transform-settings.ts';

/** A stack of estimators of one kind or another; a stack within a stack is not among them. */
export function stackSettings<Learner extends z.ZodType>(estimator: Learner) {
  const members = z
    .array(
      z.strictObject({
        input: memberInput,
        weight: z.number().positive().default(1).describe('how much it counts in the mean; not if fitted'),
        covariates: z
          .boolean()
          .optional()
          .describe('whether it reads covariates, where there are any; default true'),
        reduction: reductionSettings.default({ kind: 'none' }),
        transform: transformSettings.default({ kind: 'none' }),
        estimator,
      }),
    )
    .min(1);
  return z.strictObject({
    kind: z.literal('stack'),
    combine: z
      .enum(['mean', 'stretched', 'fitted'])
      .default('mean')
      .describe(
        'mean: members count by their weight; stretched: the same, and the spread of their mean is fitted to sessions ' +
          'left out; fitted: the weights are fitted too',
      ),
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
      .describe('pull of a fitted or stretched mean’s spread to being left as it is; null leaves it'),
    innerFolds: z
      .int()
      .min(2)
      .default(5)
      .describe('folds of whole sessions that weights and spread are fitted on'),
    members: members.describe('estimators that are combined, each with reduction and transform of its own'),
    withCovariates: z
      .strictObject({ members: members.describe('estimators that are combined instead') })
      .optional()
      .describe('what is combined otherwise of photos whose covariates are read; default the same'),
  });
}

/** A member as far as the stack itself reads it. */
export interface StackMember extends ColumnMember {
  readonly covariates?: boolean | undefined;
}

/** A stack's settings as far as the stack itself reads them. */
export interface StackSettings<Member extends StackMember> {
  readonly combine: 'mean' | 'stretched' | 'fitted';
  readonly penalty: number;
  readonly spreadPenalty: number | null;
  readonly innerFolds: number;
  readonly members: readonly Member[];
  readonly withCovariates?: { readonly members: readonly Member[] } | undefined;
}

/** All members of a stack, those that answer only where covariates are read too. */
export const membersOf = <Member extends StackMember>({
  members,
  withCovariates,
}: Pick<StackSettings<Member>, 'members' | 'withCovariates'>): readonly Member[] => [
  ...members,
  ...(withCovariates?.members ?? []),
];
