import type { RandomStream } from '../ground/random.ts';
import { linearFromHsv, type Tint } from './colour.ts';
import { type Root, rootSource, type Scatter } from './scatter.ts';
import { addPalette, type Scene } from './scene.ts';
import { growOrgan, STEM } from './strokes.ts';

/** How a grass looks and stands. Lengths cm, angles radians. */
export interface GrassLook extends Tint {
  readonly heightCm: number;
  /** Blade length as a multiple of the height. */
  readonly lengthPerHeight: number;
  readonly widthCm: number;
  readonly elevation: number;
  readonly bend: number;
  readonly gloss: number;
  /** Tillers that carry a flowering stem, 0–1. */
  readonly stems: number;
  /** Blades with a yellowed tip, 0–1. */
  readonly yellowing: number;
  /** Heading and strength (0–1) of a common lean, from wind or trampling. */
  readonly lean: readonly [heading: number, strength: number];
  readonly scatter: Scatter;
}

/**
 * Grows tillers (a sheath with two to four blades, at times a stem) until those rooted inside the frame weigh
 * `grams` dry.
 */
export function growGrass(scene: Scene, look: GrassLook, grams: number, random: RandomStream): void {
  const nextRoot = rootSource(look.scatter, random.fork('roots'));
  const shade = grassPalette(scene, look, random.fork('palette'));
  const goal = scene.milligrams.green + grams * 1000;
  while (scene.milligrams.green < goal) growTiller(scene, look, shade, nextRoot(), random);
}

function growTiller(
  scene: Scene,
  look: GrassLook,
  shade: (random: RandomStream) => number,
  root: Root,
  random: RandomStream,
): void {
  const vigour = Math.exp(0.28 * random.normal());
  const height = look.heightCm * vigour;
  const around = (root.outward ?? 2 * Math.PI * random.uniform()) + 0.5 * random.normal();
  const sheath = {
    ...STEM,
    start: [root.x, root.y, 0.05],
    azimuth: around,
    elevation: 1.2 + 0.15 * random.normal(),
    length: Math.min(0.3 * height, 7),
    width: look.widthCm * 0.75,
    bend: 0.1,
    wander: 0.1,
    fold: 0.8,
  } as const;
  const top = growOrgan(scene, root, 'grassSheath', sheath, shade(random), random);

  const blades = 2 + random.integer(3);
  for (let blade = 0; blade < blades; blade++) {
    const scale = (0.65 + 0.5 * random.uniform()) * vigour;
    const heading = leaning(around + (blade * Math.PI + 0.9 * random.normal()), look.lean, random);
    const turn = 0.9 * random.normal();
    const shape = {
      start: top,
      azimuth: heading,
      elevation: Math.min(1.45, Math.max(0.1, look.elevation + 0.28 * random.normal())),
      length: look.heightCm * look.lengthPerHeight * scale,
      width: look.widthCm * (0.6 + 0.55 * random.uniform()) * Math.sqrt(vigour),
      bend: look.bend * (0.5 + random.uniform()),
      wander: 0.3,
      twist: [0.5 * random.normal(), turn],
      profile: 'blade',
      fold: 0.25 + 0.35 * random.uniform(),
    } as const;
    growOrgan(scene, root, 'grassLamina', shape, shade(random), random);
  }
  if (random.uniform() >= look.stems) return;
  const material = shade(random);
  const stem = {
    ...STEM,
    start: [root.x, root.y, 0.05],
    azimuth: leaning(2 * Math.PI * random.uniform(), look.lean, random),
    elevation: 1.15 + 0.2 * random.normal(),
    length: height * 1.15,
    width: 0.12 + 0.2 * look.widthCm,
    bend: 0.35 * random.uniform(),
    wander: 0.15,
  } as const;
  growOrgan(scene, root, 'grassStem', stem, material, random);
}

/** Pulls a heading towards the common lean. */
function leaning(heading: number, [direction, strength]: GrassLook['lean'], random: RandomStream): number {
  return random.uniform() > strength ? heading : direction + 0.55 * random.normal();
}

/** A few dozen shades around the look's own, some with a yellowed tip; blades share them. */
function grassPalette(scene: Scene, look: GrassLook, random: RandomStream) {
  return addPalette(scene, 48, () => {
    const hue = look.hue + 6 * random.normal();
    const saturation = Math.min(0.95, Math.max(0.15, look.saturation + 0.07 * random.normal()));
    const value = Math.min(0.8, Math.max(0.12, look.value * Math.exp(0.16 * random.normal())));
    const base = linearFromHsv(hue, saturation, value);
    const yellowed = random.uniform() < look.yellowing;
    const tip = yellowed
      ? linearFromHsv(44 + 12 * random.uniform(), 0.5, 0.62 + 0.15 * random.uniform())
      : linearFromHsv(hue - 3, saturation * 0.95, value * 1.05);
    return { base, tip, gloss: look.gloss, translucency: 0.35 };
  });
}
