import type { RandomStream } from '../ground/random.ts';
import { linearFromHsv } from './colour.ts';
import { SPECIFIC_MASS } from './masses.ts';
import { rootSource, type Spread } from './scatter.ts';
import { addMaterial, harvest, type Scene } from './scene.ts';
import { growStroke } from './strokes.ts';

/** How a grass looks and stands. Lengths cm, angles radians, hue degrees. */
export interface GrassLook {
  readonly heightCm: number;
  /** Blade length as a multiple of the height. */
  readonly lengthPerHeight: number;
  readonly widthCm: number;
  readonly elevation: number;
  readonly bend: number;
  readonly hue: number;
  readonly saturation: number;
  readonly value: number;
  readonly gloss: number;
  /** Tillers that carry a flowering stem, 0–1. */
  readonly stems: number;
  /** Blades with a yellowed tip, 0–1. */
  readonly yellowing: number;
  /** Heading and strength (0–1) of a common lean, from wind or trampling. */
  readonly lean: readonly [heading: number, strength: number];
  readonly spread: Spread;
}

/**
 * Grows tillers (a sheath with two to four blades, at times a stem) until those rooted inside the frame weigh
 * `grams` dry.
 */
export function growGrass(scene: Scene, look: GrassLook, grams: number, random: RandomStream): void {
  const nextRoot = rootSource(look.spread, random.fork('roots'));
  const palette = grassPalette(scene, look, random.fork('palette'));
  const goal = scene.tally.milligrams.green + grams * 1000;
  while (scene.tally.milligrams.green < goal) growTiller(scene, look, palette, nextRoot(), random);
}

function growTiller(
  scene: Scene,
  look: GrassLook,
  palette: readonly number[],
  root: { readonly x: number; readonly y: number; readonly outward: number | undefined },
  random: RandomStream,
): void {
  const vigour = Math.exp(0.28 * random.normal());
  const height = look.heightCm * vigour;
  const around = (root.outward ?? 2 * Math.PI * random.uniform()) + 0.5 * random.normal();
  const material = (): number => palette[random.integer(palette.length)] ?? 0;
  const sheath = growStroke(
    scene,
    {
      start: [root.x, root.y, 0.05],
      azimuth: around,
      elevation: 1.2 + 0.15 * random.normal(),
      length: Math.min(0.3 * height, 7),
      width: look.widthCm * 0.75,
      bend: 0.1,
      wander: 0.1,
      twist: [0, 0],
      profile: 'stem',
      fold: 0.8,
    },
    material(),
    random,
  );
  harvest(scene, root.x, root.y, 'green', sheath.areaSquareCentimetres, SPECIFIC_MASS.grassSheath);

  const blades = 2 + random.integer(3);
  for (let blade = 0; blade < blades; blade++) {
    const scale = (0.65 + 0.5 * random.uniform()) * vigour;
    const heading = leaning(around + (blade * Math.PI + 0.9 * random.normal()), look.lean, random);
    const turn = 0.9 * random.normal();
    const grown = growStroke(
      scene,
      {
        start: sheath.tip,
        azimuth: heading,
        elevation: Math.min(1.45, Math.max(0.1, look.elevation + 0.28 * random.normal())),
        length: look.heightCm * look.lengthPerHeight * scale,
        width: look.widthCm * (0.6 + 0.55 * random.uniform()) * Math.sqrt(vigour),
        bend: look.bend * (0.5 + random.uniform()),
        wander: 0.3,
        twist: [0.5 * random.normal(), turn],
        profile: 'blade',
        fold: 0.25 + 0.35 * random.uniform(),
      },
      material(),
      random,
    );
    harvest(scene, root.x, root.y, 'green', grown.areaSquareCentimetres, SPECIFIC_MASS.grassLamina);
  }
  if (random.uniform() < look.stems) growStem(scene, look, root.x, root.y, height, material(), random);
}

function growStem(
  scene: Scene,
  look: GrassLook,
  x: number,
  y: number,
  height: number,
  material: number,
  random: RandomStream,
): void {
  const grown = growStroke(
    scene,
    {
      start: [x, y, 0.05],
      azimuth: leaning(2 * Math.PI * random.uniform(), look.lean, random),
      elevation: 1.15 + 0.2 * random.normal(),
      length: height * 1.15,
      width: 0.12 + 0.2 * look.widthCm,
      bend: 0.35 * random.uniform(),
      wander: 0.15,
      twist: [0, 0],
      profile: 'stem',
      fold: 0.9,
    },
    material,
    random,
  );
  harvest(scene, x, y, 'green', grown.areaSquareCentimetres, SPECIFIC_MASS.grassStem);
}

/** Pulls a heading towards the common lean. */
function leaning(heading: number, lean: readonly [number, number], random: RandomStream): number {
  const [direction, strength] = lean;
  if (random.uniform() > strength) return heading;
  return direction + 0.55 * random.normal();
}

/** A few dozen shades around the look's own, some with a yellowed tip; blades share them. */
function grassPalette(scene: Scene, look: GrassLook, random: RandomStream): number[] {
  return Array.from({ length: 48 }, () => {
    const hue = look.hue + 6 * random.normal();
    const saturation = Math.min(0.95, Math.max(0.15, look.saturation + 0.07 * random.normal()));
    const value = Math.min(0.8, Math.max(0.12, look.value * Math.exp(0.16 * random.normal())));
    const base = linearFromHsv(hue, saturation, value);
    const yellowed = random.uniform() < look.yellowing;
    const tip = yellowed
      ? linearFromHsv(44 + 12 * random.uniform(), 0.5, 0.62 + 0.15 * random.uniform())
      : linearFromHsv(hue - 3, saturation * 0.95, value * 1.05);
    return addMaterial(scene, { base, tip, gloss: look.gloss, translucency: 0.35, mark: 0 });
  });
}
