import { randomStream } from '../ground/random.ts';
import { type QuadratPlan, type RenderedPhoto, renderQuadrat } from './photo.ts';

/** One photo to render; plain data, so that it can go to a worker. */
export interface PhotoTask {
  readonly plan: QuadratPlan;
  readonly width: number;
  readonly height: number;
  readonly seed: number;
  /** Names the photo's own random stream. */
  readonly stream: string;
}

/** Renders one photo. It depends on the task alone, whatever thread runs it. */
export default function renderPhotoTask(task: PhotoTask): RenderedPhoto {
  return renderQuadrat(task.plan, task.width, task.height, randomStream(task.seed).fork(task.stream));
}
