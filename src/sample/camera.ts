import { FRAME_CM } from './scene.ts';

/** How a photo is taken and developed. Angles radians. */
export interface CameraSetting {
  /** Distance of the lens from the ground, cm. */
  readonly heightCm: number;
  readonly rotation: number;
  /** Keystone: relative change of scale from the middle to the edge. */
  readonly tilt: readonly [number, number];
  /** Offset of the picture from the frame, cm. */
  readonly shift: readonly [number, number];
  /** Radius of softness in pixels of a 1000-pixel-wide photo. */
  readonly blur: number;
  /** Standard deviation of sensor noise, of full scale. */
  readonly noise: number;
  /** Loss of light in the corners, 0–1. */
  readonly vignette: number;
  readonly saturation: number;
  readonly contrast: number;
  /** Multiplies the automatic exposure. */
  readonly exposure: number;
  readonly jpegQuality: number;
}

/** Maps centimetres to pixels; the picture is the 70 × 30 cm frame squeezed to the photo's shape. */
export interface View {
  readonly width: number;
  readonly height: number;
  /** Mean of the two axes' scales at ground level. */
  readonly pixelsPerCm: number;
  /** Writes the pixel position of a point into `target[0]`, `target[1]` and its magnification to `target[2]`. */
  project(x: number, y: number, z: number, target: Float64Array): void;
}

export function makeView(camera: CameraSetting, width: number, height: number): View {
  const scaleX = width / FRAME_CM.width;
  const scaleY = height / FRAME_CM.height;
  const cosine = Math.cos(camera.rotation);
  const sine = Math.sin(camera.rotation);
  return {
    width,
    height,
    pixelsPerCm: (scaleX + scaleY) / 2,
    project(x, y, z, target) {
      const dx = x - FRAME_CM.width / 2 - camera.shift[0];
      const dy = y - FRAME_CM.height / 2 - camera.shift[1];
      const keystone = 1 + (camera.tilt[0] * dx) / 35 + (camera.tilt[1] * dy) / 15;
      // What stands tall comes nearer to the lens, so it grows and leans outward; the lens is never reached.
      const magnification = camera.heightCm / Math.max(0.3 * camera.heightCm, camera.heightCm - z) / keystone;
      target[0] = width / 2 + (cosine * dx - sine * dy) * magnification * scaleX;
      target[1] = height / 2 + (sine * dx + cosine * dy) * magnification * scaleY;
      target[2] = magnification;
    },
  };
}
