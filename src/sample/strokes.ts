import type { RandomStream } from '../ground/random.ts';
import type { Organ } from './masses.ts';
import { appendRow, harvest, type Scene, type Vector } from './scene.ts';

/** A long organ to grow: where it starts, where it heads, how it bends and narrows. Lengths cm, angles radians. */
export interface StrokeShape {
  readonly start: Vector;
  /** Heading in the plane; 0 is +x. */
  readonly azimuth: number;
  /** Angle above the ground at the start. */
  readonly elevation: number;
  readonly length: number;
  readonly width: number;
  /** How much the elevation falls over the whole length. */
  readonly bend: number;
  /** Standard deviation of the heading's change over the whole length. */
  readonly wander: number;
  /** Rotation about the own axis, start and end. */
  readonly twist: readonly [number, number];
  /** How the width runs from base to tip: a pointed blade, a stem, a torn piece. */
  readonly profile: 'blade' | 'stem' | 'torn';
  /** 0 flat … 1 strongly keeled. */
  readonly fold: number;
}

/** What round stems have in common. */
export const STEM = { twist: [0, 0], profile: 'stem', fold: 0.9 } as const;

const PROFILE: Readonly<Record<StrokeShape['profile'], (along: number) => number>> = {
  blade: (along) => (0.55 + 0.45 * Math.min(1, along * 4)) * Math.max(0.02, 1 - along ** 2.4),
  stem: (along) => 1 - 0.45 * along,
  torn: (along) => 0.45 + 0.55 * Math.sin(Math.PI * (0.15 + 0.75 * along)),
};

/** What growing a stroke leaves behind: its tip, where a leaf may sit, and its one-sided area in cm². */
export interface GrownStroke {
  readonly tip: Vector;
  readonly areaSquareCentimetres: number;
}

/** Grows one stroke node by node and adds it to the scene. It never sinks below the ground. */
export function growStroke(
  scene: Scene,
  shape: StrokeShape,
  material: number,
  random: RandomStream,
): GrownStroke {
  const segments = Math.max(3, Math.min(14, Math.ceil(3 + shape.length / 1.8)));
  const step = shape.length / segments;
  const profile = PROFILE[shape.profile];
  const firstNode = scene.nodes.count;
  let [x, y, z] = shape.start;
  let azimuth = shape.azimuth;
  let area = 0;
  // Drooping speeds up towards the tip, as in a leaf held by its base.
  const bendAt = (along: number): number => shape.elevation - shape.bend * along ** 1.4;
  for (let index = 0; index <= segments; index++) {
    const along = index / segments;
    const halfWidth = 0.5 * shape.width * profile(along);
    const twist = shape.twist[0] + (shape.twist[1] - shape.twist[0]) * along;
    appendRow(scene.nodes, x, y, z, halfWidth, twist);
    area += step * 2 * halfWidth * (index === 0 || index === segments ? 0.5 : 1);
    if (index === segments) break;
    const elevation = bendAt(along + 0.5 / segments);
    const flat = Math.cos(elevation) * step;
    x += Math.cos(azimuth) * flat;
    y += Math.sin(azimuth) * flat;
    z = Math.max(0.04, z + Math.sin(elevation) * step);
    azimuth += (shape.wander / Math.sqrt(segments)) * random.normal();
  }
  appendRow(scene.strokes, firstNode, segments + 1, material, shape.fold);
  return { tip: [x, y, z], areaSquareCentimetres: area };
}

/** Grows a stroke as {@link growStroke} and counts it for the cut of the plant with this root. @returns its tip */
export function growOrgan(
  scene: Scene,
  root: { readonly x: number; readonly y: number },
  organ: Organ,
  shape: StrokeShape,
  material: number,
  random: RandomStream,
): Vector {
  const { tip, areaSquareCentimetres } = growStroke(scene, shape, material, random);
  harvest(scene, root, organ, areaSquareCentimetres);
  return tip;
}
