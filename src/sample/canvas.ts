import type { Light } from './light.ts';
import type { NumberStore } from './scene.ts';
import type { ShadowMap } from './shadow-map.ts';

/**
 * A picture in linear light, composed from the top down: what lies highest is drawn first, and each pixel
 * remembers how much of it is still to be filled, so that hidden leaves cost nothing.
 */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3] */
  readonly rgb: Float32Array;
  /** Share of each pixel that nothing covers yet, [height, width] */
  readonly open: Float32Array;
}

/** A pixel with less left open than this counts as full. */
export const FULL = 0.015;

export function makeCanvas(width: number, height: number): Canvas {
  return {
    width,
    height,
    rgb: new Float32Array(width * height * 3),
    open: new Float32Array(width * height).fill(1),
  };
}

/** What all pixels of one drawing share. */
export interface Drawing {
  readonly canvas: Canvas;
  readonly light: Light;
  readonly shadows: ShadowMap;
  readonly materials: NumberStore;
}

/**
 * Covers a part of what is open of a pixel with a lit surface.
 *
 * @param look offset of the material's row
 * @param toTip 0 the base's colour … 1 the tip's
 * @param sun,sky,shine sunlight, skylight and highlight on the surface
 * @param pale strength of clover's pale V here
 */
export function cover(
  { canvas, light, materials }: Drawing,
  pixel: number,
  part: number,
  look: number,
  toTip: number,
  sun: number,
  sky: number,
  shine: number,
  pale = 0,
): void {
  const { rgb, open } = canvas;
  const left = open[pixel] as number;
  const share = left * part;
  open[pixel] = left - share;
  for (let channel = 0; channel < 3; channel++) {
    const base = materials.values[look + channel] as number;
    let albedo = base + ((materials.values[look + 3 + channel] as number) - base) * toTip;
    albedo += pale * (0.32 - 0.45 * albedo) * (channel === 2 ? 0.6 : 1);
    const sunlight = light.sun[channel] as number;
    const full = albedo * (sun * sunlight + sky * (light.sky[channel] as number)) + shine * sunlight;
    rgb[pixel * 3 + channel] = (rgb[pixel * 3 + channel] as number) + full * share;
  }
}
