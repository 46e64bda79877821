import { z } from 'zod';
import { completeWindows, featurePlanSchema } from '../vision/features/index.ts';

const descriptorInput = z.strictObject({ kind: z.literal('descriptors') });
const backboneInput = featurePlanSchema
  .extend({
    kind: z.literal('backbone'),
    backbone: z.string().min(1).describe('catalogue name, hub repository or file of the frozen backbone'),
  })
  .transform(completeWindows);

/** What photos are turned into before the estimator sees them. */
export const inputSettings = z
  .discriminatedUnion('kind', [
    /** Colour and texture descriptors of the photos. */
    descriptorInput,
    /** Rows of a feature file, or of several with the same photos. */
    z.strictObject({ kind: z.literal('features') }),
    /** Features of the photos from a frozen backbone: a catalogue name, a hub repository or a file. */
    backboneInput,
    /** Several of the two, side by side; members of a stack may read them apart. */
    z.strictObject({
      kind: z.literal('several'),
      sets: z
        .array(
          z
            .discriminatedUnion('kind', [descriptorInput, backboneInput])
            .describe('descriptors, or features of a backbone'),
        )
        .min(2)
        .describe('inputs that stand side by side; backbone=A,B or extra=NAME makes them'),
    }),
  ])
  .describe('what estimators are shown of photos; --features and backbone=NAME choose it');

/** What an estimator is shown of photos, as a recipe says it. */
export type InputSettings = z.output<typeof inputSettings>;
