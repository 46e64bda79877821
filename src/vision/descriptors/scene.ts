import { type Cover, coverOf } from './cover.ts';
import { type Frame, halved, halvedFrame, luma, type Plane } from './frame.ts';
import { indexPlane } from './indices.ts';
import { detail } from './octaves.ts';
import { type HsvPlanes, hsvPlanes, type LabPlanes, labPlanes } from './spaces.ts';
import { momentsOf } from './statistics.ts';

/** A colour plane by size. */
export interface Tint {
  /** The detail at 1, 2, 4, 8 and 16 mm a pixel. */
  readonly details: readonly Float32Array[];
  /** The plane itself at 16 mm a pixel. */
  readonly coarse: Float32Array;
}

/** What the descriptor groups look at, computed once a photo. */
export interface Scene {
  /** Colour at 10 px/cm. */
  readonly colour: Frame;
  readonly hsv: HsvPlanes;
  readonly lab: LabPlanes;
  /** Excess green at 10 px/cm. */
  readonly excessGreen: Float32Array;
  /** (G − R) / (G + R) at 10 px/cm: above 0 for leaf, below for straw. */
  readonly ngrdi: Float32Array;
  /** What each pixel at 10 px/cm shows. */
  readonly cover: Cover;
  /** L*, a*, b*, excess green, saturation and NGRDI, in this order. */
  readonly tints: readonly Tint[];
  /** Luma over its mean, so that exposure drops out; 20 px/cm first, then halved five times. */
  readonly light: readonly Plane[];
  /** Excess green, 10 px/cm first, then halved four times. */
  readonly greenness: readonly Plane[];
}

/** Prepares a picture of the working size for the descriptor groups. */
export function sceneOf(frame: Frame): Scene {
  const colour = halvedFrame(frame);
  const excessGreen = indexPlane(colour, 'exg');
  const ngrdi = indexPlane(colour, 'ngrdi');
  const lab = labPlanes(colour);
  const hsv = hsvPlanes(colour);
  const { width, height } = colour;
  const tinted = [lab.lightness, lab.a, lab.b, excessGreen, hsv.saturation, ngrdi];
  return {
    colour,
    hsv,
    lab,
    excessGreen,
    ngrdi,
    cover: coverOf(lab, excessGreen, ngrdi),
    tints: tinted.map((data) => tintOf({ width, height, data })),
    light: pyramid(relativeLight(frame), 6),
    greenness: pyramid({ width, height, data: excessGreen }, 5),
  };
}

function relativeLight(frame: Frame): Plane {
  const plane = luma(frame);
  const { mean } = momentsOf(plane.data);
  const scale = 1 / Math.max(mean, 0.01);
  const data = new Float32Array(plane.data.length);
  for (let i = 0; i < data.length; i++) data[i] = (plane.data[i] as number) * scale;
  return { ...plane, data };
}

function tintOf(plane: Plane): Tint {
  const octaves = pyramid(plane, 5);
  return { details: octaves.map(detail), coarse: (octaves[4] ?? plane).data };
}

function pyramid(finest: Plane, levels: number): Plane[] {
  const result = [finest];
  for (let level = 1; level < levels; level++) result.push(halved(result[level - 1] ?? finest));
  return result;
}
