import type { RandomStream } from '../ground/random.ts';
import type { View } from './camera.ts';
import { type Canvas, FULL } from './canvas.ts';
import type { Rgb } from './colour.ts';
import type { Light } from './light.ts';
import { fractalNoise, latticeUniform, smoothNoise } from './noise.ts';
import { FRAME_CM } from './scene.ts';
import { type CanopyShade, skyShareAt } from './shade.ts';
import { type ShadowMap, sunlitShare } from './shadow-map.ts';

/** How bare ground looks. */
export interface SoilLook {
  /** Linear albedo. */
  readonly colour: Rgb;
  /** Height of clods, 0 a crust … 1 freshly tilled. */
  readonly roughness: number;
  /** Stones per quadrat. */
  readonly stones: number;
}

/**
 * Fills what the canopy leaves open with soil: a height field of crumbs, clods and stones, lit by sun and sky
 * beneath the canopy that the shadow map and the shade describe.
 */
export function paintSoil(
  canvas: Canvas,
  view: View,
  look: SoilLook,
  light: Light,
  shadows: ShadowMap,
  shade: CanopyShade,
  random: RandomStream,
): void {
  const { width, height, rgb, open } = canvas;
  const seed = random.integer(1 << 20);
  const cmPerPixelX = FRAME_CM.width / width;
  const cmPerPixelY = FRAME_CM.height / height;
  const relief = soilRelief(canvas, look, seed);
  const stones = layStones(relief, canvas, view, look, random);
  const steepX = 0.5 / cmPerPixelX;
  const steepY = 0.5 / cmPerPixelY;
  for (let row = 0; row < height; row++) {
    const up = Math.max(0, row - 1) * width;
    const down = Math.min(height - 1, row + 1) * width;
    const y = (row + 0.5) * cmPerPixelY;
    for (let column = 0; column < width; column++) {
      const x = (column + 0.5) * cmPerPixelX;
      const at = row * width + column;
      const share = open[at] as number;
      if (share < FULL) continue;
      const level = relief[at] as number;
      const right = relief[row * width + Math.min(width - 1, column + 1)] as number;
      const left = relief[row * width + Math.max(0, column - 1)] as number;
      const gx = (right - left) * steepX;
      const gy = ((relief[down + column] as number) - (relief[up + column] as number)) * steepY;
      const norm = 1 / Math.sqrt(gx * gx + gy * gy + 1);
      const cosine = Math.max(0, (light.toSun[2] - gx * light.toSun[0] - gy * light.toSun[1]) * norm);
      const lit = cosine * sunlitShare(shadows, column, row, 0.05 + 0.3 * level);
      // Hollows see less of the sky.
      const skylit = skyShareAt(shade.total, x, y) * Math.min(1.15, 0.55 + 0.75 * level);
      const grain = 0.6 + 0.8 * fractalNoise(x * 5, y * 5, seed + 7, 2);
      const damp = 0.75 + 0.5 * smoothNoise(x / 9, y / 9, seed + 8);
      const stone = stones[at] as number;
      for (let channel = 0; channel < 3; channel++) {
        const earth = (look.colour[channel] as number) * grain * damp;
        const grey = (0.23 + 0.1 * (look.colour[channel] as number)) * (0.8 + 0.2 * grain);
        const albedo = earth + (grey - earth) * stone;
        const ground =
          albedo * (lit * (light.sun[channel] as number) + skylit * (light.sky[channel] as number));
        rgb[at * 3 + channel] = (rgb[at * 3 + channel] as number) + ground * share;
      }
    }
  }
}

/** Heights in cm, around 0.5: crumbs of a few millimetres on clods of a few centimetres. */
function soilRelief(canvas: Canvas, look: SoilLook, seed: number): Float32Array {
  const { width, height, open } = canvas;
  const relief = new Float32Array(width * height);
  const stepX = FRAME_CM.width / width;
  const stepY = FRAME_CM.height / height;
  for (let row = 0; row < height; row++) {
    const y = row * stepY;
    for (let column = 0; column < width; column++) {
      if (!seesGround(open, row * width + column, width)) continue;
      const x = column * stepX;
      // Bent coordinates keep the lattice of the crumbs from showing.
      const bent = x + 0.5 * smoothNoise(x * 1.3, y * 1.3, seed + 3);
      const drift = y + 0.5 * smoothNoise(x * 1.3, y * 1.3, seed + 4);
      const clod = crumbHeight(bent / 1.5, drift / 1.5, seed);
      const crumb = crumbHeight(bent / 0.55, drift / 0.55, seed + 1);
      const fine = fractalNoise(x * 3.5, y * 3.5, seed + 2, 2);
      const rough = 0.1 + look.roughness;
      relief[row * width + column] = 0.2 + rough * (0.38 * clod + 0.2 * crumb) + 0.06 * crumb + 0.16 * fine;
    }
  }
  return relief;
}

/** Height, 0–1, of rounded crumbs that touch each other, about one a unit square. */
function crumbHeight(x: number, y: number, seed: number): number {
  // The nearest middle lies in one of the four cells about the nearest corner, near enough.
  const column = Math.round(x) - 1;
  const row = Math.round(y) - 1;
  let height = 0;
  for (let cell = 0; cell < 4; cell++) {
    const cx = column + (cell & 1);
    const cy = row + (cell >> 1);
    const dx = x - cx - 0.15 - 0.7 * latticeUniform(cx, cy, seed);
    const dy = y - cy - 0.15 - 0.7 * latticeUniform(cy, cx, seed + 17);
    const size = 0.35 + 0.75 * latticeUniform(cx, cy, seed + 31);
    height = Math.max(height, 1 - (dx * dx + dy * dy) / size);
  }
  return Math.sqrt(height);
}

/** Whether a pixel or a neighbour of it is open, since slopes are taken between neighbours. */
function seesGround(open: Float32Array, at: number, width: number): boolean {
  return (
    (open[at] as number) >= FULL ||
    (open[at - 1] ?? 0) >= FULL ||
    (open[at + 1] ?? 0) >= FULL ||
    (open[at - width] ?? 0) >= FULL ||
    (open[at + width] ?? 0) >= FULL
  );
}

/** Raises rounded stones in the relief. @returns how much each pixel is stone, 0–1 */
function layStones(
  relief: Float32Array,
  canvas: Canvas,
  view: View,
  look: SoilLook,
  random: RandomStream,
): Float32Array {
  const cover = new Float32Array(relief.length);
  for (let index = 0; index < look.stones; index++) {
    const radius = (0.12 + 0.55 * random.uniform() ** 3) * view.pixelsPerCm;
    const squeeze = 0.6 + 0.35 * random.uniform();
    const turn = Math.PI * random.uniform();
    const cx = random.uniform() * canvas.width;
    const cy = random.uniform() * canvas.height;
    const edge = random.integer(1 << 20);
    for (let y = Math.max(0, Math.floor(cy - radius)); y <= Math.min(canvas.height - 1, cy + radius); y++) {
      for (let x = Math.max(0, Math.floor(cx - radius)); x <= Math.min(canvas.width - 1, cx + radius); x++) {
        const u = ((x - cx) * Math.cos(turn) + (y - cy) * Math.sin(turn)) / radius;
        const v = ((y - cy) * Math.cos(turn) - (x - cx) * Math.sin(turn)) / (radius * squeeze);
        const bumps = 0.25 * smoothNoise((x / radius) * 1.5, (y / radius) * 1.5, edge);
        const inside = 1 - Math.sqrt(u * u + v * v) - bumps;
        if (inside <= 0) continue;
        const at = y * canvas.width + x;
        relief[at] = Math.max(
          relief[at] as number,
          0.45 + (0.5 * Math.sqrt(inside) * radius) / view.pixelsPerCm,
        );
        cover[at] = Math.min(1, inside * radius);
      }
    }
  }
  return cover;
}
