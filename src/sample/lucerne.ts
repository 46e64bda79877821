import type { RandomStream } from '../ground/random.ts';
import { linearFromHsv } from './colour.ts';
import { SPECIFIC_MASS } from './masses.ts';
import { type Root, rootSource, type Spread } from './scatter.ts';
import { addLeaflet, addMaterial, harvest, OUTLINE, type Scene, type Vector } from './scene.ts';
import { growStroke } from './strokes.ts';

/** How lucerne looks. Lengths cm, hue degrees. The cut counts it as green, not as clover. */
export interface LucerneLook {
  readonly heightCm: number;
  readonly leafletCm: number;
  readonly hue: number;
  readonly saturation: number;
  readonly value: number;
  /** Shoots that carry a purple flower head, 0–1. */
  readonly flowering: number;
  readonly spread: Spread;
}

/** Grows leafy shoots until those inside the frame weigh `grams` dry. */
export function growLucerne(scene: Scene, look: LucerneLook, grams: number, random: RandomStream): void {
  const nextRoot = rootSource(look.spread, random.fork('roots'));
  const colours = random.fork('palette');
  const palette = Array.from({ length: 24 }, () => {
    const hue = look.hue + 5 * colours.normal();
    const value = Math.min(0.75, look.value * Math.exp(0.14 * colours.normal()));
    return addMaterial(scene, {
      base: linearFromHsv(hue, look.saturation, value),
      tip: linearFromHsv(hue - 4, look.saturation * 0.9, Math.min(0.8, value * 1.08)),
      gloss: 0.08,
      translucency: 0.25,
      mark: 0,
    });
  });
  const purple = addMaterial(scene, {
    base: linearFromHsv(275, 0.5, 0.5),
    tip: linearFromHsv(280, 0.38, 0.7),
    gloss: 0.05,
    translucency: 0.4,
    mark: 0,
  });
  const goal = scene.tally.milligrams.green + grams * 1000;
  while (scene.tally.milligrams.green < goal) growShoot(scene, look, nextRoot(), palette, purple, random);
}

function growShoot(
  scene: Scene,
  look: LucerneLook,
  root: Root,
  palette: readonly number[],
  purple: number,
  random: RandomStream,
): void {
  const material = (): number => palette[random.integer(palette.length)] ?? 0;
  const azimuth = (root.outward ?? 2 * Math.PI * random.uniform()) + 0.4 * random.normal();
  const internodes = Math.max(2, Math.round((look.heightCm * (0.7 + 0.5 * random.uniform())) / 2.2));
  let node: Vector = [root.x, root.y, 0.05];
  let elevation = 0.95 + 0.3 * random.normal();
  let leafArea = 0;
  let stemArea = 0;
  for (let index = 0; index < internodes; index++) {
    const stem = growStroke(
      scene,
      {
        start: node,
        azimuth: azimuth + 0.3 * random.normal(),
        elevation,
        length: 2.2,
        width: 0.24 - (0.1 * index) / internodes,
        bend: 0.05,
        wander: 0.1,
        twist: [0, 0],
        profile: 'stem',
        fold: 0.9,
      },
      material(),
      random,
    );
    stemArea += stem.areaSquareCentimetres;
    node = stem.tip;
    elevation = Math.min(1.5, elevation + 0.08 * random.normal());
    // The lowest leaves have been shed.
    if (index >= internodes * 0.2) leafArea += growLeafTriple(scene, look, node, material(), random);
  }
  harvest(scene, root.x, root.y, 'green', stemArea, SPECIFIC_MASS.lucerneStem);
  if (random.uniform() < look.flowering) leafArea += growHead(scene, node, purple, random);
  harvest(scene, root.x, root.y, 'green', leafArea, SPECIFIC_MASS.lucerneLamina);
}

function growLeafTriple(
  scene: Scene,
  look: LucerneLook,
  at: Vector,
  material: number,
  random: RandomStream,
): number {
  const heading = 2 * Math.PI * random.uniform();
  const out = 0.7 + 0.9 * random.uniform();
  const base: Vector = [at[0] + Math.cos(heading) * out, at[1] + Math.sin(heading) * out, at[2] + 0.3];
  let area = 0;
  for (let leaflet = -1; leaflet <= 1; leaflet++) {
    const angle = heading + leaflet * 1.05 + 0.12 * random.normal();
    const length = look.leafletCm * Math.exp(0.2 * random.normal());
    const half = 0.26 * length;
    const rise = 0.25 * random.normal();
    const roll = 0.35 * random.normal();
    area += addLeaflet(
      scene,
      base,
      [Math.cos(angle) * length, Math.sin(angle) * length, rise * length],
      [-Math.sin(angle) * half, Math.cos(angle) * half, roll * half],
      material,
      OUTLINE.ellipse,
    );
  }
  return area;
}

function growHead(scene: Scene, at: Vector, purple: number, random: RandomStream): number {
  let area = 0;
  for (let floret = 0; floret < 16; floret++) {
    const angle = floret * 2.4;
    const along: Vector = [Math.cos(angle) * 0.7, Math.sin(angle) * 0.7, 0.3 * random.uniform()];
    const across: Vector = [-Math.sin(angle) * 0.2, Math.cos(angle) * 0.2, 0];
    area += addLeaflet(scene, [at[0], at[1], at[2] + 0.05 * floret], along, across, purple, OUTLINE.ellipse);
  }
  return area;
}
