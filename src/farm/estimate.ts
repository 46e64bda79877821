import { z } from 'zod';
import { FrameArea } from './frame.ts';
import { Moment, Sha256, Uuid } from './identity.ts';
import { Mass, massTable } from './mass-table.ts';
import { SwardHeight } from './sward-height.ts';

/** Numbers a run was evaluated in; fewer bits give slightly other masses. */
export const PRECISIONS = ['double', 'fp32', 'fp16', 'int8', 'int4'] as const;

/** Which run answered. */
export const RunReference = z.strictObject({
  id: z.string().min(1),
  name: z.string().min(1),
  hash: Sha256,
});
export type RunReference = z.output<typeof RunReference>;

/** What a run says of one photo. It is kept as it was said, whichever run or calibration comes after. */
export const Estimate = z.strictObject({
  id: Uuid,
  photoId: Uuid,
  source: z.literal('modelled'),
  estimatedAt: Moment,
  masses: massTable(Mass).describe('dry, grams on the frame'),
  frameAreaSquareMetres: FrameArea,
  kgDmPerHa: massTable(Mass),
  interval: z
    .strictObject({
      coverage: z.number().gt(0).lt(1),
      ...massTable(z.tuple([Mass, Mass])).shape,
    })
    .nullable()
    .describe(
      'low and high of each mass, grams on the frame; null where the run keeps no record of its errors',
    ),
  outOfDomain: z
    .strictObject({
      share: z
        .number()
        .min(0)
        .max(1)
        .nullable()
        .describe('share of training photos that lie nearer to the others; null: the run keeps no record'),
      flagged: z.boolean().describe('not to be relied on: unlike the training photos, or heavier than any'),
    })
    .describe('how unlike the training photos it is'),
  trainedOn: z
    .boolean()
    .nullable()
    .optional()
    .describe(
      'whether the run was trained on this very photo: its answer is then memory; null or absent: not known',
    ),
  height: SwardHeight.nullable().describe('the height that the run used; null: it used none'),
  run: RunReference,
  engine: z.string().min(1).describe('what evaluated the run, with its version'),
  precision: z.enum(PRECISIONS),
});
export type Estimate = z.output<typeof Estimate>;
