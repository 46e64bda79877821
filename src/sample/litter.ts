import type { RandomStream } from '../ground/random.ts';
import { linearFromHsv, type Tint } from './colour.ts';
import { rootSource, type Scatter, somewhere } from './scatter.ts';
import { addPalette, type Scene } from './scene.ts';
import { growOrgan, growStroke } from './strokes.ts';

/** How dead material looks: straw, bleached or brown, lying or still standing among the green. */
export interface LitterLook extends Tint {
  readonly heightCm: number;
  readonly lengthCm: number;
  readonly widthCm: number;
  /** Pieces that still stand, 0–1. */
  readonly standing: number;
  /** Pieces that are stalks, not blades, 0–1. */
  readonly stalks: number;
  readonly scatter: Scatter;
}

/** Lays and stands dead blades, shreds and stalks until those inside the frame weigh `grams` dry. */
export function growLitter(scene: Scene, look: LitterLook, grams: number, random: RandomStream): void {
  const nextRoot = rootSource(look.scatter, random.fork('roots'));
  const shade = litterPalette(scene, look, random.fork('palette'));
  // Litter piles up: the more there is, the higher the last pieces lie.
  const pile = Math.min(2.5, 0.12 + 0.055 * grams);
  while (scene.milligrams.dead < grams * 1000) {
    const root = nextRoot();
    const stands = random.uniform() < look.standing;
    const stalk = random.uniform() < look.stalks;
    const length = look.lengthCm * Math.exp(0.5 * random.normal()) * (stalk ? 1.4 : 1);
    const shape = {
      start: [root.x, root.y, stands ? 0.05 : 0.04 + pile * random.uniform()],
      azimuth: (root.outward ?? 2 * Math.PI * random.uniform()) + 0.7 * random.normal(),
      elevation: stands ? 0.5 + 0.7 * random.uniform() : 0.1 * random.normal(),
      length: stands
        ? Math.max(length, Math.min(15, look.heightCm) * (0.6 + 0.5 * random.uniform()))
        : length,
      width: stalk ? 0.1 + 0.1 * random.uniform() : look.widthCm * (0.35 + 0.75 * random.uniform()),
      bend: stands ? 0.9 * random.uniform() : 0.15,
      wander: stalk ? 0.15 : Math.min(0.8, 2.4 / length),
      twist: [random.normal(), 1.2 * random.normal()],
      profile: stalk ? 'stem' : random.uniform() < 0.5 ? 'torn' : 'blade',
      fold: 0.5 * random.uniform(),
    } as const;
    growOrgan(scene, root, stalk ? 'deadStem' : 'deadLamina', shape, shade(random), random);
  }
}

/**
 * Strews bits of old root, dung and crumbled leaf too small to be gathered, so that soil between plants looks
 * lived on. They weigh nothing in the cut.
 */
export function strewCrumbs(scene: Scene, look: LitterLook, count: number, random: RandomStream): void {
  const dark = { ...look, hue: look.hue - 8, value: look.value * 0.5 };
  const shade = litterPalette(scene, dark, random.fork('palette'));
  for (let index = 0; index < count; index++) {
    const shape = {
      start: [...somewhere(random), 0.05],
      azimuth: 2 * Math.PI * random.uniform(),
      elevation: 0,
      length: 0.3 + 1.1 * random.uniform() ** 2,
      width: 0.05 + 0.1 * random.uniform(),
      bend: 0,
      wander: 0.9,
      twist: [0.4 * random.normal(), 0.4 * random.normal()],
      profile: 'torn',
      fold: 0.3,
    } as const;
    growStroke(scene, shape, shade(random), random);
  }
}

function litterPalette(scene: Scene, look: LitterLook, random: RandomStream) {
  return addPalette(scene, 32, () => {
    // A third is weathered to grey-brown, the rest is straw.
    const weathered = random.uniform() < 0.33;
    const hue = look.hue + 5 * random.normal() - (weathered ? 6 : 0);
    const saturation = Math.max(0.08, look.saturation * (weathered ? 0.75 : 1) + 0.06 * random.normal());
    const value = Math.min(0.92, look.value * (weathered ? 0.62 : 1) * Math.exp(0.17 * random.normal()));
    return {
      base: linearFromHsv(hue, saturation, value * 0.9),
      tip: linearFromHsv(hue + 2, saturation * 0.85, Math.min(0.95, value * 1.1)),
      gloss: 0.12,
      translucency: 0.2,
    };
  });
}
