import type { RandomStream } from '../ground/random.ts';
import { linearFromHsv, type Tint } from './colour.ts';
import { type Root, rootSource, type Scatter } from './scatter.ts';
import { addLeaflet, addMaterial, addPalette, harvest, OUTLINE, type Scene, type Vector } from './scene.ts';
import { growOrgan, STEM } from './strokes.ts';

/** How clover looks. Lengths cm. */
export interface CloverLook extends Tint {
  readonly heightCm: number;
  readonly leafletCm: number;
  /** Strength of the pale V on each leaflet, 0–1. */
  readonly mark: number;
  /** Flower heads per leaf. */
  readonly flowers: number;
  readonly scatter: Scatter;
}

/** Grows leaves on petioles, runners and flower heads until those inside the frame weigh `grams` dry. */
export function growClover(scene: Scene, look: CloverLook, grams: number, random: RandomStream): void {
  if (grams <= 0) return;
  const nextRoot = rootSource(look.scatter, random.fork('roots'));
  const shade = cloverPalette(scene, look, random.fork('palette'));
  const white = addMaterial(scene, {
    base: linearFromHsv(70, 0.22, 0.72),
    tip: linearFromHsv(50, 0.05, 0.95),
    gloss: 0.1,
    translucency: 0.4,
  });
  const stolon = addMaterial(scene, {
    base: linearFromHsv(60, 0.5, 0.42),
    tip: linearFromHsv(25, 0.5, 0.36),
    gloss: 0.1,
    translucency: 0,
  });
  while (scene.milligrams.clover < grams * 1000) {
    const root = nextRoot();
    const material = shade(random);
    growLeaf(scene, look, root, material, random);
    if (random.uniform() < 0.22) growStolon(scene, look, root, stolon, random);
    if (random.uniform() < look.flowers) growFlower(scene, look, root, material, white, random);
  }
}

function growLeaf(scene: Scene, look: CloverLook, root: Root, material: number, random: RandomStream): void {
  const petiole = growPetiole(scene, look, root, material, 1, random);
  const size = look.leafletCm * Math.exp(0.22 * random.normal());
  const heading = 2 * Math.PI * random.uniform();
  const tiltX = 0.22 * random.normal();
  const tiltY = 0.22 * random.normal();
  let area = 0;
  for (let leaflet = 0; leaflet < 3; leaflet++) {
    const angle = heading + (leaflet * 2 * Math.PI) / 3 + 0.1 * random.normal();
    const droop = 0.15 + 0.12 * random.normal();
    const length = size * (0.92 + 0.16 * random.uniform());
    const [ux, uy] = [Math.cos(angle), Math.sin(angle)];
    const rise = (ux * tiltX + uy * tiltY - droop) * length;
    const half = 0.47 * length;
    const roll = (-uy * tiltX + ux * tiltY) * half;
    area += addLeaflet(scene, petiole, angle, { length, rise, half, roll }, material, OUTLINE.heart);
  }
  harvest(scene, root, 'cloverLamina', area);
}

function growPetiole(
  scene: Scene,
  look: CloverLook,
  root: Root,
  material: number,
  reach: number,
  random: RandomStream,
): Vector {
  const shape = {
    ...STEM,
    start: [root.x, root.y, 0.1],
    azimuth: root.outward ?? 2 * Math.PI * random.uniform(),
    elevation: 1.22 + 0.2 * random.normal(),
    length: look.heightCm * reach * (0.55 + 0.6 * random.uniform()),
    width: 0.12,
    bend: 0.2,
    wander: 0.2,
  } as const;
  return growOrgan(scene, root, 'cloverPetiole', shape, material, random);
}

function growStolon(
  scene: Scene,
  look: CloverLook,
  root: Root,
  material: number,
  random: RandomStream,
): void {
  const shape = {
    ...STEM,
    start: [root.x, root.y, 0.08],
    azimuth: 2 * Math.PI * random.uniform(),
    elevation: 0,
    length: look.leafletCm * (2 + 3 * random.uniform()),
    width: 0.18,
    bend: 0,
    wander: 0.6,
  } as const;
  growOrgan(scene, root, 'cloverStolon', shape, material, random);
}

function growFlower(
  scene: Scene,
  look: CloverLook,
  root: Root,
  stalk: number,
  petals: number,
  random: RandomStream,
): void {
  const [x, y, z] = growPetiole(scene, look, root, stalk, 1.35, random);
  let area = 0;
  const count = 36;
  for (let petal = 0; petal < count; petal++) {
    const angle = petal * 2.4 + 0.2 * random.normal();
    // Florets from the rim (lying) to the crown (standing) of a round head.
    const height = petal / count;
    const length = (0.5 + 0.12 * random.uniform()) * (1 - 0.65 * height);
    const shape = { length, rise: 0.1 + 0.5 * height, half: 0.1, roll: 0.02 };
    area += addLeaflet(scene, [x, y, z + 0.35 * height], angle, shape, petals, OUTLINE.ellipse);
  }
  harvest(scene, root, 'cloverFlower', area);
}

function cloverPalette(scene: Scene, look: CloverLook, random: RandomStream) {
  return addPalette(scene, 32, () => {
    const hue = look.hue + 3 * random.normal();
    const saturation = Math.min(0.9, Math.max(0.2, look.saturation + 0.035 * random.normal()));
    const value = Math.min(0.75, Math.max(0.15, look.value * Math.exp(0.09 * random.normal())));
    return {
      base: linearFromHsv(hue - 2, saturation * 0.95, value * 1.06),
      tip: linearFromHsv(hue, saturation, value),
      gloss: 0.12,
      translucency: 0.3,
      mark: look.mark * (0.4 + 0.8 * random.uniform()),
    };
  });
}
