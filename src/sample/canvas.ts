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
