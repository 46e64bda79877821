export { requireEndpoint } from '../storage/index.ts';
export { requireChunk } from './jobs/chunks.ts';
export { type FeaturesOn, type FeaturesOnOptions, featuresOn } from './jobs/features-on.ts';
export { localEngine } from './jobs/local-engine.ts';
export { FinishedAlready, type PartsSummary } from './jobs/parts.ts';
export { isPartsLocation, PARTS_FORMATS, type PartsFormat } from './jobs/parts-format.ts';
export type { Cluster, Engine } from './jobs/planned-job.ts';
export {
  type PredictedOn,
  type PredictOnOptions,
  predictInParts,
  predictOn,
} from './jobs/predict-on.ts';
export { versionOf } from './jobs/results.ts';
export { trainOn, trainRepeatedlyOn } from './jobs/train-on.ts';
export {
  gatherEngine,
  isGathered,
  noteGathered,
  type Plan,
  type PlanEngine,
  planEngine,
  readPlan,
} from './plan/plan-engine.ts';
export { PLAN_TARGETS, type PlanSettings, type PlanTarget } from './plan/settings.ts';
export { queueEngine, requireQueue } from './queue/queue-engine.ts';
export { QUEUES, type QueueName, requireRedis } from './queue/queues.ts';
export { type RunningWorker, startWorker, type WorkOptions } from './queue/worker.ts';
export { GatheredElsewhere } from './units/job-store.ts';
export { computeUnits, type UnitOptions, type UnitsDone } from './units/unit-command.ts';
