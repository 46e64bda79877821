import { z } from 'zod';
import { CuttingHeight, FrameArea } from './frame.ts';
import { Moment, Uuid } from './identity.ts';
import { Position } from './position.ts';

const Grams = z.number().min(0).max(100_000);

/** What is done to a cut, in this order; a later step cannot come before an earlier one. */
export const CutStep = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('frame-placed'),
    at: Moment,
    frameAreaSquareMetres: FrameArea,
    cuttingHeightCentimetres: CuttingHeight,
    position: Position.nullable(),
  }),
  z.strictObject({
    kind: z.literal('wet-weighed'),
    at: Moment,
    grossGrams: Grams.describe('all that was cut, as the scale shows it'),
    bagGrams: Grams.describe('of the bag that is weighed with it; 0 where the scale was tared with it'),
    tared: z.boolean().describe('whether the scale was tared with the bag on it'),
  }),
  z.strictObject({
    kind: z.literal('subsampled'),
    at: Moment,
    wetGrams: Grams.describe('what is put to dry, without its bag; all of the cut or a part of it'),
  }),
  z.strictObject({
    kind: z.literal('drying-started'),
    at: Moment,
    method: z.enum(['oven', 'microwave']),
    celsius: z.number().min(20).max(250).nullable().describe('of the oven; null of a microwave'),
  }),
  z.strictObject({
    kind: z.literal('dry-weighed'),
    at: Moment,
    dryGrams: Grams.describe('of the sub-sample, without its bag'),
  }),
  z.strictObject({
    kind: z.literal('sorted'),
    at: Moment,
    greenGrams: Grams.describe('of the dry sub-sample: green grass and other green but clover'),
    deadGrams: Grams,
    cloverGrams: Grams,
  }),
]);
export type CutStep = z.output<typeof CutStep>;

/**
 * What a device writes down of a cut. Nothing written is changed: a mistake is put right by a further event, so that
 * devices that were offline can put their events together in any order.
 */
export const CutEvent = z.strictObject({
  id: Uuid,
  recordedAt: Moment,
  change: z.discriminatedUnion('kind', [
    ...CutStep.options,
    z.strictObject({
      kind: z.literal('corrected'),
      event: Uuid.describe('id of the event whose step was wrong'),
      step: CutStep.describe('what it should have said, a step of the same kind'),
    }),
    z.strictObject({
      kind: z.literal('withdrawn'),
      event: Uuid.describe('id of the event whose step was not taken'),
    }),
  ]),
});
export type CutEvent = z.output<typeof CutEvent>;

/** Events of one cut: a dozen are usual. Each is checked against all others. */
export const MOST_EVENTS = 500;

/** One frame of sward that is cut, dried and weighed: what was written of it. `cutState` tells how far it is. */
export const Cut = z.strictObject({
  id: Uuid,
  visitId: Uuid,
  photoId: Uuid.nullable().describe('the photo of the same frame before it was cut; null: none'),
  events: z.array(CutEvent).max(MOST_EVENTS),
});
export type Cut = z.output<typeof Cut>;
