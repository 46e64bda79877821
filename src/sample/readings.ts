import type { RandomStream } from '../ground/random.ts';
import { mean } from '../ground/statistics.ts';
import { FRAME_CM, insideFrame, type Scene } from './scene.ts';

const CELL_CM = 2.5;

/** What the instruments of fieldworkers would have shown for a scene. */
export interface FieldReadings {
  readonly ndvi: number;
  /** Mean of three readings of a falling plate, cm; at least 1. */
  readonly heightCm: number;
}

/**
 * NDVI rises with the green leaf area and saturates (Beer's law), and dead matter lowers it; the falling plate
 * rests a little below the tallest plants of each spot. Both carry an instrument's noise.
 */
export function fieldReadings(scene: Scene, random: RandomStream): FieldReadings {
  const frameArea = FRAME_CM.width * FRAME_CM.height;
  const area = scene.squareCentimetres;
  const green = (area.green + area.clover) / frameArea;
  const dead = area.dead / frameArea;
  const covered = 1 - Math.exp(-0.75 * green);
  const dulled = 1 - 0.3 * (dead / (dead + green + 0.4));
  const ndvi = 0.17 + 0.72 * covered * dulled + 0.035 * random.normal();
  const plate = Array.from({ length: 3 }, () =>
    Math.max(1, meanTop(scene) * (0.72 + 0.08 * random.normal())),
  );
  return {
    ndvi: Math.round(100 * Math.min(0.91, Math.max(0.16, ndvi))) / 100,
    heightCm: mean(plate.map(Math.round)),
  };
}

/** Mean over small cells of the height of the tallest node, cm; empty cells count as bare ground. */
function meanTop(scene: Scene): number {
  const columns = Math.ceil(FRAME_CM.width / CELL_CM);
  const rows = Math.ceil(FRAME_CM.height / CELL_CM);
  const tops = new Float32Array(columns * rows);
  const raise = (x: number, y: number, z: number): void => {
    if (!insideFrame(x, y)) return;
    const cell = Math.floor(y / CELL_CM) * columns + Math.floor(x / CELL_CM);
    tops[cell] = Math.max(tops[cell] as number, z);
  };
  for (const { values, count, stride } of [scene.nodes, scene.leaflets]) {
    for (let at = 0; at < count * stride; at += stride) {
      raise(values[at] as number, values[at + 1] as number, values[at + 2] as number);
    }
  }
  return tops.reduce((sum, top) => sum + top, 0) / tops.length;
}
