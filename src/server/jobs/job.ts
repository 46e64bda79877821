import { z } from 'zod';
import { Uuid } from '../../farm/index.ts';
import { MASS_NAMES } from '../../pasture/targets.ts';

/** What a job is to do. */
export const JobRequest = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('train'),
    name: z.string().trim().min(1).max(100).describe('what the run will be called'),
    seed: z.int().min(0).max(1_000_000).default(42),
  }),
  z.strictObject({
    kind: z.literal('re-estimate'),
    runId: z.string().min(1).max(64).describe('the run that is to estimate every stored photo'),
  }),
]);
export type JobRequest = z.output<typeof JobRequest>;

/** How far a job is. A job that is interrupted by a restart is queued again, and goes on where it was. */
export const JOB_STATES = ['queued', 'running', 'done', 'failed', 'cancelled'] as const;
export type JobState = (typeof JOB_STATES)[number];

/** How a trained run did on cuts that it was not trained on, as its total over photos left out in turn. */
export const OutOfFoldScore = z.strictObject({
  r2: z.number().nullable().describe('1: all is explained; 0: no better than the mean; null: not defined'),
  rmse: z.number().nullable().describe('how far off, kg DM/ha'),
  bias: z.number().nullable().describe('estimate less cut on average, kg DM/ha'),
  cuts: z.int().describe('cuts that it rests on'),
  visits: z.int().describe('and visits that these are of'),
  days: z
    .int()
    .optional()
    .describe(
      'and days: one was left out at a time, or of a single one each paddock; absent of earlier jobs',
    ),
  sorted: z
    .int()
    .optional()
    .describe('of the cuts, which teach green, dead and clover; absent of earlier jobs'),
  learnt: z
    .array(z.enum(MASS_NAMES))
    .readonly()
    .optional()
    .describe('masses that could be learnt and left out in turn; absent of earlier jobs'),
});
export type OutOfFoldScore = z.output<typeof OutOfFoldScore>;

/** What is known of how a job goes. */
export const JobProgress = z.strictObject({
  stage: z.string().describe('what it does now'),
  done: z.int().min(0),
  of: z.int().min(0).describe('steps of the stage; 0: not known'),
  remark: z.string().describe('of the last step'),
  message: z.string().nullable().describe('why it failed'),
  runId: z.string().nullable().describe('the run that was trained'),
  score: OutOfFoldScore.nullable().describe('of the run that was trained, on cuts left out in turn'),
});
export type JobProgress = z.output<typeof JobProgress>;

/** A job as it is shown. */
export const Job = z.strictObject({
  id: Uuid,
  request: JobRequest,
  state: z.enum(JOB_STATES),
  progress: JobProgress,
  createdAt: z.string(),
  finishedAt: z.string().nullable(),
});
export type Job = z.output<typeof Job>;

/** Of a job that was not begun. */
export const NO_PROGRESS: JobProgress = {
  stage: '',
  done: 0,
  of: 0,
  remark: '',
  message: null,
  runId: null,
  score: null,
};

/** Whether a job will not change any more. */
export const isOver = (state: JobState): boolean => state !== 'queued' && state !== 'running';
