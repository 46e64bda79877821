/*
 * The light face of this floor: what options of commands may say. The other, `index.ts`, brings queue and stores along, and
 * is loaded by commands that use them, so that `--help` answers at once.
 */
export { requireChunk } from './jobs/chunks.ts';
export { isPartsLocation, PARTS_FORMATS, type PartsFormat } from './jobs/parts-format.ts';
export { PLAN_TARGETS, type PlanTarget } from './plan/settings.ts';
export { QUEUES, type QueueName, requireRedis } from './queue/queues.ts';
