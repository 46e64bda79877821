import type { Rgb } from './colour.ts';
import { addToTally, emptyTally, type Fraction, type Tally } from './masses.ts';
import { appendRow, type NumberStore, numberStore } from './store.ts';

/** The cut frame, cm. Plants are also grown in a margin around it, since tall ones lean into the picture. */
export const FRAME_CM = { width: 70, height: 30, margin: 3 } as const;

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
  readonly tally: Tally;
}

export function emptyScene(): Scene {
  return {
    nodes: numberStore(5, 32_768),
    strokes: numberStore(4, 8192),
    leaflets: numberStore(11, 4096),
    materials: numberStore(9, 2048),
    tally: emptyTally(),
  };
}

/** Outlines a leaflet can have; the number is what the leaflet table holds. */
export const OUTLINE = { heart: 0, ellipse: 1 } as const;

/** How a surface looks. Colours are linear albedo; `gloss` scales the highlight, `mark` clover's pale V. */
export interface Material {
  readonly base: Rgb;
  readonly tip: Rgb;
  readonly gloss: number;
  readonly translucency: number;
  readonly mark: number;
}

/** @returns the material's number, for strokes and leaflets */
export function addMaterial(scene: Scene, material: Material): number {
  const offset = appendRow(scene.materials);
  scene.materials.values.set(material.base, offset);
  scene.materials.values.set(material.tip, offset + 3);
  scene.materials.values[offset + 6] = material.gloss;
  scene.materials.values[offset + 7] = material.translucency;
  scene.materials.values[offset + 8] = material.mark;
  return scene.materials.count - 1;
}

/** A point or direction in the scene. */
export type Vector = readonly [x: number, y: number, z: number];

/** @param outline one of {@link OUTLINE} @returns one-sided area in cm² */
export function addLeaflet(
  scene: Scene,
  base: Vector,
  along: Vector,
  halfAcross: Vector,
  material: number,
  outline: number,
): number {
  const offset = appendRow(scene.leaflets);
  scene.leaflets.values.set(base, offset);
  scene.leaflets.values.set(along, offset + 3);
  scene.leaflets.values.set(halfAcross, offset + 6);
  scene.leaflets.values[offset + 9] = material;
  scene.leaflets.values[offset + 10] = outline;
  // Both outlines fill about seven tenths of their box.
  return 0.7 * Math.hypot(...along) * 2 * Math.hypot(...halfAcross);
}

/** Counts an element for the cut when its root stands inside the frame. */
export function harvest(
  scene: Scene,
  rootX: number,
  rootY: number,
  fraction: Fraction,
  areaSquareCentimetres: number,
  specificMass: number,
): void {
  if (insideFrame(rootX, rootY)) addToTally(scene.tally, fraction, areaSquareCentimetres, specificMass);
}

export function insideFrame(x: number, y: number): boolean {
  return x >= 0 && x < FRAME_CM.width && y >= 0 && y < FRAME_CM.height;
}
