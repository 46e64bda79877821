import type { CameraSetting } from './camera.ts';
import type { Canvas } from './canvas.ts';
import { srgbFromLinear } from './colour.ts';
import type { Light } from './light.ts';
import { latticeUniform, smoothNoise } from './noise.ts';

/** The mean brightness (linear) that the camera's meter aims at. */
const METER_AIM = 0.2;
const CURVE_STEPS = 2048;
const CURVE_TOP = 4;

/**
 * Turns light into a picture as a small camera does: softness, vignetting, automatic exposure, a tone curve
 * with a shoulder, saturation, noise.
 *
 * @returns 8-bit sRGB, [height, width, 3]
 */
export function develop(canvas: Canvas, camera: CameraSetting, noiseSeed: number): Uint8Array {
  const { width, height, rgb } = canvas;
  soften(canvas, Math.min(0.3, 0.25 * camera.blur * Math.min(1, width / 1000)));
  const gain = (camera.exposure * METER_AIM) / Math.max(0.01, meanLuminance(canvas));
  const curve = toneCurve(camera.contrast);
  const picture = new Uint8Array(rgb.length);
  const scale = CURVE_STEPS / CURVE_TOP;
  for (let row = 0; row < height; row++) {
    const dy = (2 * row) / height - 1;
    for (let column = 0; column < width; column++) {
      const dx = (2 * column) / width - 1;
      const corner = (dx * dx + dy * dy) / 2;
      const light = gain * (1 - camera.vignette * corner * corner);
      const at = (row * width + column) * 3;
      const grain =
        camera.noise *
        2 *
        (latticeUniform(column, row, noiseSeed) + latticeUniform(row, column, noiseSeed) - 1);
      const r = curve[Math.min(CURVE_STEPS, (rgb[at] as number) * light * scale) | 0] as number;
      const g = curve[Math.min(CURVE_STEPS, (rgb[at + 1] as number) * light * scale) | 0] as number;
      const b = curve[Math.min(CURVE_STEPS, (rgb[at + 2] as number) * light * scale) | 0] as number;
      const grey = 0.3 * r + 0.59 * g + 0.11 * b;
      picture[at] = byte(grey + (r - grey) * camera.saturation + grain);
      picture[at + 1] = byte(grey + (g - grey) * camera.saturation + grain);
      picture[at + 2] = byte(grey + (b - grey) * camera.saturation + grain);
    }
  }
  return picture;
}

/**
 * Darkens the canvas where the photographer stands between sun and grass: a head on shoulders reaching in
 * from the side away from the sun, with a soft rim. Only skylight remains there.
 */
export function darkenByPhotographer(canvas: Canvas, light: Light, seed: number): void {
  const { width, height, rgb } = canvas;
  const along = Math.hypot(light.toSun[0], light.toSun[1]) || 1;
  const awayX = -light.toSun[0] / along;
  const awayY = -light.toSun[1] / along;
  // The body stands outside the picture on the sun's side; its shadow falls into the picture.
  const originX = width / 2 - awayX * width * 0.62;
  const originY = height / 2 - awayY * width * 0.4;
  const remain = light.sky.map((sky, channel) => (0.95 * sky) / (sky + (light.sun[channel] ?? 0) * 0.6));
  const unit = width / 1000;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const forward = ((column - originX) * awayX + (row - originY) * awayY) / unit;
      const aside = Math.abs((row - originY) * awayX - (column - originX) * awayY) / unit;
      const ragged = 26 * (smoothNoise(column / 9 / unit, row / 9 / unit, seed) - 0.5);
      const shoulders = Math.min(300 - forward, 190 - aside - Math.max(0, forward - 180) * 0.7);
      const head = 75 - Math.hypot(forward - 350, aside);
      const depth = (Math.max(shoulders, head) + ragged) / 60;
      if (depth <= -0.5) continue;
      const dark = Math.min(1, depth + 0.5);
      const at = (row * width + column) * 3;
      for (let channel = 0; channel < 3; channel++) {
        rgb[at + channel] = (rgb[at + channel] as number) * (1 - dark * (1 - (remain[channel] ?? 1)));
      }
    }
  }
}

function meanLuminance(canvas: Canvas): number {
  let sum = 0;
  for (let at = 0; at < canvas.rgb.length; at += 3) {
    const y =
      0.2126 * (canvas.rgb[at] as number) +
      0.7152 * (canvas.rgb[at + 1] as number) +
      0.0722 * (canvas.rgb[at + 2] as number);
    sum += Math.min(y, 1);
  }
  return sum / (canvas.width * canvas.height);
}

/** Linear light → encoded value, with a shoulder for highlights and an S of the given strength. */
function toneCurve(contrast: number): Float32Array {
  return Float32Array.from({ length: CURVE_STEPS + 1 }, (_, step) => {
    const light = (step / CURVE_STEPS) * CURVE_TOP;
    const shouldered = light < 0.55 ? light : 0.55 + 0.45 * (1 - Math.exp(-(light - 0.55) / 0.45));
    const encoded = srgbFromLinear(shouldered);
    const curved = encoded * encoded * (3 - 2 * encoded);
    return encoded + (curved - encoded) * contrast;
  });
}

/** A 3 × 3 binomial-like blur with `side` weight on each neighbour. */
function soften(canvas: Canvas, side: number): void {
  if (side <= 0) return;
  const { width, height, rgb } = canvas;
  const middle = 1 - 2 * side;
  const stride = width * 3;
  for (let row = 0; row < height; row++) {
    const start = row * stride;
    for (let channel = 0; channel < 3; channel++) {
      let before = rgb[start + channel] as number;
      for (let at = start + channel; at < start + stride; at += 3) {
        const here = rgb[at] as number;
        const after = at + 3 < start + stride ? (rgb[at + 3] as number) : here;
        rgb[at] = middle * here + side * (before + after);
        before = here;
      }
    }
  }
  const above = rgb.slice(0, stride);
  for (let row = 0; row < height; row++) {
    const start = row * stride;
    const below = row + 1 < height ? start + stride : start;
    for (let index = 0; index < stride; index++) {
      const here = rgb[start + index] as number;
      rgb[start + index] = middle * here + side * ((above[index] as number) + (rgb[below + index] as number));
      above[index] = here;
    }
  }
}

function byte(encoded: number): number {
  return Math.round(255 * Math.min(1, Math.max(0, encoded)));
}
