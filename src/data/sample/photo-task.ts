import sharp from 'sharp';
import { writeFileAtomically } from '../../ground/files.ts';
import { randomStream } from '../../ground/random.ts';
import type { Components } from '../../pasture/targets.ts';
import { type QuadratPlan, renderQuadrat } from './photo.ts';
import type { FieldReadings } from './readings.ts';

/** One photo to render and write; plain data, so that it can go to a worker. */
export interface PhotoTask {
  readonly plan: QuadratPlan;
  readonly width: number;
  readonly height: number;
  readonly seed: number;
  /** Names the photo's own random stream. */
  readonly stream: string;
  /** Where the JPEG goes. */
  readonly path: string;
}

/** What is known of a photo once it is written. */
export interface PhotoResult {
  readonly components: Components;
  readonly readings: FieldReadings;
}

/** Renders one photo and writes it. The file depends on the task alone, whatever thread runs it. */
export async function runPhotoTask(task: PhotoTask): Promise<PhotoResult> {
  const random = randomStream(task.seed).fork(task.stream);
  const photo = renderQuadrat(task.plan, task.width, task.height, random);
  const jpeg = await sharp(photo.pixels, { raw: { width: photo.width, height: photo.height, channels: 3 } })
    .jpeg({ quality: task.plan.session.camera.jpegQuality })
    .toBuffer();
  await writeFileAtomically(task.path, jpeg);
  return {
    components: photo.components,
    readings: { ndvi: photo.ndvi, heightCm: photo.heightCm },
  };
}
