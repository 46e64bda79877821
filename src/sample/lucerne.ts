import type { RandomStream } from '../ground/random.ts';
import { linearFromHsv, type Tint } from './colour.ts';
import { type Root, rootSource, type Scatter } from './scatter.ts';
import { addLeaflet, addMaterial, addPalette, harvest, OUTLINE, type Scene, type Vector } from './scene.ts';
import { growStroke, STEM } from './strokes.ts';

/** How lucerne looks. Lengths cm. The cut counts it as green, not as clover. */
export interface LucerneLook extends Tint {
  readonly heightCm: number;
  readonly leafletCm: number;
  /** Shoots that carry a purple flower head, 0–1. */
  readonly flowering: number;
  readonly scatter: Scatter;
}

/** Grows leafy shoots until those inside the frame weigh `grams` dry. */
export function growLucerne(scene: Scene, look: LucerneLook, grams: number, random: RandomStream): void {
  const nextRoot = rootSource(look.scatter, random.fork('roots'));
  const colours = random.fork('palette');
  const shade = addPalette(scene, 24, () => {
    const hue = look.hue + 5 * colours.normal();
    const value = Math.min(0.75, look.value * Math.exp(0.14 * colours.normal()));
    return {
      base: linearFromHsv(hue, look.saturation, value),
      tip: linearFromHsv(hue - 4, look.saturation * 0.9, Math.min(0.8, value * 1.08)),
      gloss: 0.08,
      translucency: 0.25,
    };
  });
  const purple = addMaterial(scene, {
    base: linearFromHsv(275, 0.5, 0.5),
    tip: linearFromHsv(280, 0.38, 0.7),
    gloss: 0.05,
    translucency: 0.4,
  });
  const goal = scene.milligrams.green + grams * 1000;
  while (scene.milligrams.green < goal) growShoot(scene, look, nextRoot(), shade, purple, random);
}

function growShoot(
  scene: Scene,
  look: LucerneLook,
  root: Root,
  shade: (random: RandomStream) => number,
  purple: number,
  random: RandomStream,
): void {
  const azimuth = (root.outward ?? 2 * Math.PI * random.uniform()) + 0.4 * random.normal();
  const internodes = Math.max(2, Math.round((look.heightCm * (0.7 + 0.5 * random.uniform())) / 2.2));
  let node: Vector = [root.x, root.y, 0.05];
  let elevation = 0.95 + 0.3 * random.normal();
  let leafArea = 0;
  let stemArea = 0;
  for (let index = 0; index < internodes; index++) {
    const shape = {
      ...STEM,
      start: node,
      azimuth: azimuth + 0.3 * random.normal(),
      elevation,
      length: 2.2,
      width: 0.24 - (0.1 * index) / internodes,
      bend: 0.05,
      wander: 0.1,
    };
    const stem = growStroke(scene, shape, shade(random), random);
    stemArea += stem.areaSquareCentimetres;
    node = stem.tip;
    elevation = Math.min(1.5, elevation + 0.08 * random.normal());
    // The lowest leaves have been shed.
    if (index >= internodes * 0.2) leafArea += growLeafTriple(scene, look, node, shade(random), random);
  }
  harvest(scene, root, 'lucerneStem', stemArea);
  if (random.uniform() < look.flowering) leafArea += growHead(scene, node, purple, random);
  harvest(scene, root, 'lucerneLamina', leafArea);
}

function growLeafTriple(
  scene: Scene,
  look: LucerneLook,
  [x, y, z]: Vector,
  material: number,
  random: RandomStream,
): number {
  const heading = 2 * Math.PI * random.uniform();
  const out = 0.7 + 0.9 * random.uniform();
  const base = [x + Math.cos(heading) * out, y + Math.sin(heading) * out, z + 0.3] as const;
  let area = 0;
  for (let leaflet = -1; leaflet <= 1; leaflet++) {
    const angle = heading + leaflet * 1.05 + 0.12 * random.normal();
    const length = look.leafletCm * Math.exp(0.2 * random.normal());
    const half = 0.26 * length;
    const rise = 0.25 * random.normal() * length;
    const roll = 0.35 * random.normal() * half;
    area += addLeaflet(scene, base, angle, { length, rise, half, roll }, material, OUTLINE.ellipse);
  }
  return area;
}

function growHead(scene: Scene, [x, y, z]: Vector, purple: number, random: RandomStream): number {
  let area = 0;
  for (let floret = 0; floret < 16; floret++) {
    const shape = { length: 0.7, rise: 0.3 * random.uniform(), half: 0.2, roll: 0 };
    area += addLeaflet(scene, [x, y, z + 0.05 * floret], floret * 2.4, shape, purple, OUTLINE.ellipse);
  }
  return area;
}
