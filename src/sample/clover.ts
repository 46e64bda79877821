import type { RandomStream } from '../ground/random.ts';
import { linearFromHsv } from './colour.ts';
import { SPECIFIC_MASS } from './masses.ts';
import { type Root, rootSource, type Spread } from './scatter.ts';
import { addLeaflet, addMaterial, harvest, OUTLINE, type Scene, type Vector } from './scene.ts';
import { growStroke } from './strokes.ts';

/** How clover looks. Lengths cm, hue degrees. */
export interface CloverLook {
  readonly heightCm: number;
  readonly leafletCm: number;
  readonly hue: number;
  readonly saturation: number;
  readonly value: number;
  /** Strength of the pale V on each leaflet, 0–1. */
  readonly mark: number;
  /** Flower heads per leaf. */
  readonly flowers: number;
  readonly spread: Spread;
}

/** Grows leaves on petioles, runners and flower heads until those inside the frame weigh `grams` dry. */
export function growClover(scene: Scene, look: CloverLook, grams: number, random: RandomStream): void {
  if (grams <= 0) return;
  const nextRoot = rootSource(look.spread, random.fork('roots'));
  const palette = cloverPalette(scene, look, random.fork('palette'));
  const white = addMaterial(scene, {
    base: linearFromHsv(70, 0.22, 0.72),
    tip: linearFromHsv(50, 0.05, 0.95),
    gloss: 0.1,
    translucency: 0.4,
    mark: 0,
  });
  const stolon = addMaterial(scene, {
    base: linearFromHsv(60, 0.5, 0.42),
    tip: linearFromHsv(25, 0.5, 0.36),
    gloss: 0.1,
    translucency: 0,
    mark: 0,
  });
  while (scene.tally.milligrams.clover < grams * 1000) {
    const root = nextRoot();
    const material = palette[random.integer(palette.length)] ?? 0;
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
    const ux = Math.cos(angle);
    const uy = Math.sin(angle);
    const along: Vector = [ux * length, uy * length, (ux * tiltX + uy * tiltY - droop) * length];
    const half = 0.47 * length;
    const across: Vector = [-uy * half, ux * half, (-uy * tiltX + ux * tiltY) * half];
    area += addLeaflet(scene, petiole, along, across, material, OUTLINE.heart);
  }
  harvest(scene, root.x, root.y, 'clover', area, SPECIFIC_MASS.cloverLamina);
}

function growPetiole(
  scene: Scene,
  look: CloverLook,
  root: Root,
  material: number,
  reach: number,
  random: RandomStream,
): Vector {
  const grown = growStroke(
    scene,
    {
      start: [root.x, root.y, 0.1],
      azimuth: root.outward ?? 2 * Math.PI * random.uniform(),
      elevation: 1.22 + 0.2 * random.normal(),
      length: look.heightCm * reach * (0.55 + 0.6 * random.uniform()),
      width: 0.12,
      bend: 0.2,
      wander: 0.2,
      twist: [0, 0],
      profile: 'stem',
      fold: 0.9,
    },
    material,
    random,
  );
  harvest(scene, root.x, root.y, 'clover', grown.areaSquareCentimetres, SPECIFIC_MASS.cloverPetiole);
  return grown.tip;
}

function growStolon(
  scene: Scene,
  look: CloverLook,
  root: Root,
  material: number,
  random: RandomStream,
): void {
  const grown = growStroke(
    scene,
    {
      start: [root.x, root.y, 0.08],
      azimuth: 2 * Math.PI * random.uniform(),
      elevation: 0,
      length: look.leafletCm * (2 + 3 * random.uniform()),
      width: 0.18,
      bend: 0,
      wander: 0.6,
      twist: [0, 0],
      profile: 'stem',
      fold: 0.9,
    },
    material,
    random,
  );
  harvest(scene, root.x, root.y, 'clover', grown.areaSquareCentimetres, SPECIFIC_MASS.cloverStolon);
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
    const rise = petal / count;
    const reach = (0.5 + 0.12 * random.uniform()) * (1 - 0.65 * rise);
    const along: Vector = [Math.cos(angle) * reach, Math.sin(angle) * reach, 0.1 + 0.5 * rise];
    const across: Vector = [-Math.sin(angle) * 0.1, Math.cos(angle) * 0.1, 0.02];
    area += addLeaflet(scene, [x, y, z + 0.35 * rise], along, across, petals, OUTLINE.ellipse);
  }
  harvest(scene, root.x, root.y, 'clover', area, SPECIFIC_MASS.cloverFlower);
}

function cloverPalette(scene: Scene, look: CloverLook, random: RandomStream): number[] {
  return Array.from({ length: 32 }, () => {
    const hue = look.hue + 3 * random.normal();
    const saturation = Math.min(0.9, Math.max(0.2, look.saturation + 0.035 * random.normal()));
    const value = Math.min(0.75, Math.max(0.15, look.value * Math.exp(0.09 * random.normal())));
    return addMaterial(scene, {
      base: linearFromHsv(hue - 2, saturation * 0.95, value * 1.06),
      tip: linearFromHsv(hue, saturation, value),
      gloss: 0.12,
      translucency: 0.3,
      mark: look.mark * (0.4 + 0.8 * random.uniform()),
    });
  });
}
