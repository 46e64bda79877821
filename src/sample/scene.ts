import type { RandomStream } from '../ground/random.ts';
import type { Components } from '../pasture/targets.ts';
import type { Rgb } from './colour.ts';
import { type Fraction, ORGANS, type Organ } from './masses.ts';

/** The cut frame, cm. Plants are also grown in a margin around it, since tall ones lean into the picture. */
export const FRAME_CM = { width: 70, height: 30, margin: 3 } as const;

/** A growing table of numbers with `stride` numbers a row, so that a hundred thousand rows cost no objects. */
export interface NumberStore {
  readonly stride: number;
  values: Float32Array;
  count: number;
}

/**
 * Everything that grows or lies in and around one quadrat, in centimetres: x to the right, y down the
 * picture, z up. Rows of the tables:
 * - nodes: x, y, z, half width, twist (radians)
 * - strokes: first node, node count, material, fold (0 flat … 1 strongly keeled)
 * - leaflets: base xyz, length vector xyz, half-width vector xyz, material, outline
 * - materials: base rgb, tip rgb, gloss, translucency, mark
 */
export interface Scene {
  readonly nodes: NumberStore;
  readonly strokes: NumberStore;
  readonly leaflets: NumberStore;
  readonly materials: NumberStore;
  /** What was drawn inside the frame so far, hidden elements included: dry mass and one-sided area. */
  readonly milligrams: Record<Fraction, number>;
  readonly squareCentimetres: Record<Fraction, number>;
}

export function emptyScene(): Scene {
  const store = (stride: number, capacity: number): NumberStore => ({
    stride,
    values: new Float32Array(stride * capacity),
    count: 0,
  });
  return {
    nodes: store(5, 32_768),
    strokes: store(4, 8192),
    leaflets: store(11, 4096),
    materials: store(9, 2048),
    milligrams: { green: 0, dead: 0, clover: 0 },
    squareCentimetres: { green: 0, dead: 0, clover: 0 },
  };
}

/** Adds a row of numbers. @returns its number */
export function appendRow(store: NumberStore, ...row: readonly number[]): number {
  const offset = store.count * store.stride;
  if (offset + store.stride > store.values.length) {
    const larger = new Float32Array(store.values.length * 2);
    larger.set(store.values);
    store.values = larger;
  }
  store.values.set(row, offset);
  return store.count++;
}

/** Outlines a leaflet can have; the number is what the leaflet table holds. */
export const OUTLINE = { heart: 0, ellipse: 1 } as const;

/** How a surface looks. Colours are linear albedo; `gloss` scales the highlight, `mark` clover's pale V. */
export interface Material {
  readonly base: Rgb;
  readonly tip: Rgb;
  readonly gloss: number;
  readonly translucency: number;
  readonly mark?: number;
}

/** @returns the material's number, for strokes and leaflets */
export function addMaterial(scene: Scene, { base, tip, gloss, translucency, mark = 0 }: Material): number {
  return appendRow(scene.materials, ...base, ...tip, gloss, translucency, mark);
}

/** Adds shades that organs of a kind share. @returns draws the number of one of them */
export function addPalette(
  scene: Scene,
  count: number,
  shade: () => Material,
): (random: RandomStream) => number {
  const first = scene.materials.count;
  for (let index = 0; index < count; index++) addMaterial(scene, shade());
  return (random) => first + random.integer(count);
}

/** A point or direction in the scene. */
export type Vector = readonly [x: number, y: number, z: number];

/**
 * Adds a leaflet that heads away from `base` in the direction `angle`.
 *
 * @param shape length and half width in the plane, and how much its tip and its side rise, cm
 * @param outline one of {@link OUTLINE}
 * @returns one-sided area in cm²
 */
export function addLeaflet(
  scene: Scene,
  base: Vector,
  angle: number,
  { length, rise, half, roll }: Readonly<Record<'length' | 'rise' | 'half' | 'roll', number>>,
  material: number,
  outline: number,
): number {
  const [ux, uy] = [Math.cos(angle), Math.sin(angle)];
  const along = [ux * length, uy * length, rise] as const;
  const across = [-uy * half, ux * half, roll] as const;
  appendRow(scene.leaflets, ...base, ...along, ...across, material, outline);
  // Both outlines fill about seven tenths of their box.
  return 0.7 * Math.hypot(...along) * 2 * Math.hypot(...across);
}

/** Counts an element for the cut when its root stands inside the frame. */
export function harvest(
  scene: Scene,
  root: { readonly x: number; readonly y: number },
  organ: Organ,
  areaSquareCentimetres: number,
): void {
  if (!insideFrame(root.x, root.y)) return;
  const [fraction, specificMass] = ORGANS[organ];
  scene.milligrams[fraction] += areaSquareCentimetres * specificMass;
  scene.squareCentimetres[fraction] += areaSquareCentimetres;
}

export function insideFrame(x: number, y: number): boolean {
  return x >= 0 && x < FRAME_CM.width && y >= 0 && y < FRAME_CM.height;
}

/** What was harvested in grams a quadrat, to 0.1 mg, as a laboratory table has it. */
export function cutOf({ milligrams }: Scene): Components {
  const grams = (fraction: Fraction): number => Math.round(milligrams[fraction] * 10) / 10_000;
  return { green: grams('green'), dead: grams('dead'), clover: grams('clover') };
}
