import { z } from 'zod';
import { AnsweringRun } from './run-variances.ts';

/** How phones come by the model of a run. */
export const PhoneModel = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('ready'),
    folder: z.string().describe('address of its model.json and pieces, with a slash at its end'),
  }),
  z.object({ kind: z.literal('making') }).describe('it is being made; ask again'),
  z.object({
    kind: z.literal('none'),
    why: z.string().describe('why phones cannot evaluate the run, so that the server does'),
  }),
]);
export type PhoneModel = z.output<typeof PhoneModel>;

/** What answers a farm's photos. */
export const Answering = z.object({
  run: AnsweringRun.describe('the farm’s run'),
  others: z.array(AnsweringRun).describe('other runs of the farm, whose estimates stay'),
  phone: PhoneModel,
  maps: z
    .boolean()
    .describe(
      'whether the farm’s run says where in a photo the mass is; false also while that is being found out',
    ),
});
export type Answering = z.output<typeof Answering>;
