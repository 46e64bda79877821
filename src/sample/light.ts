import type { Rgb } from './colour.ts';
import type { Vector } from './scene.ts';

/** The light over one photo: a sun (weak under cloud) and a sky. Colours are linear. */
export interface Light {
  /** Unit vector towards the sun. */
  readonly toSun: Vector;
  readonly sun: Rgb;
  readonly sky: Rgb;
  /** Unit vector half-way between the sun and a viewer above, for highlights. */
  readonly halfway: Vector;
}

/** Sun and sky of a photo. Angles radians. */
export interface LightSetting {
  readonly elevation: number;
  /** Where the sun stands in the picture's plane. */
  readonly azimuth: number;
  /** 0 overcast … 1 cloudless */
  readonly clearness: number;
  /** −1 bluish … 1 yellowish */
  readonly warmth: number;
}

export function makeLight({ elevation, azimuth, clearness, warmth }: LightSetting): Light {
  const flat = Math.cos(elevation);
  const toSun: Vector = [flat * Math.cos(azimuth), flat * Math.sin(azimuth), Math.sin(elevation)];
  const length = Math.hypot(toSun[0], toSun[1], toSun[2] + 1);
  const halfway: Vector = [toSun[0] / length, toSun[1] / length, (toSun[2] + 1) / length];
  const power = 0.25 + 1.15 * clearness;
  const sun: Rgb = [power * (1.03 + 0.09 * warmth), power, power * (0.9 - 0.13 * warmth)];
  const diffuse = 0.72 - 0.44 * clearness;
  // A clear sky is bluer than cloud.
  const blue = 0.06 + 0.14 * clearness;
  const sky: Rgb = [diffuse * (1 - blue + 0.04 * warmth), diffuse, diffuse * (1 + blue - 0.05 * warmth)];
  return { toSun, sun, sky, halfway };
}

/**
 * How far a shadow lies from the point that casts it, in cm along x and y for each cm of height. Low suns are
 * cut off so that a shadow stays in the picture.
 */
export function shadowSlope(light: Light): readonly [number, number] {
  const rise = Math.max(0.45, light.toSun[2]);
  return [-light.toSun[0] / rise, -light.toSun[1] / rise];
}

/** Share of sunlight a thin leaf sends up: reflected from its lit face, or passed through from behind. */
export function leafIrradiance(light: Light, x: number, y: number, z: number, translucency: number): number {
  const cosine = x * light.toSun[0] + y * light.toSun[1] + z * light.toSun[2];
  return cosine >= 0 ? cosine : -cosine * translucency;
}

/** Strength of the highlight on a waxy leaf with this normal, 0–1 (Blinn–Phong with a broad lobe). */
export function leafHighlight(light: Light, x: number, y: number, z: number): number {
  const cosine = Math.abs(x * light.halfway[0] + y * light.halfway[1] + z * light.halfway[2]);
  const square = cosine * cosine;
  const eighth = square * square * square * square;
  return eighth * eighth;
}
