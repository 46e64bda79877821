import type { Frame } from './frame.ts';

/** Hue as a point on the unit circle scaled by chroma, and HSV's saturation and value, all of a picture. */
export interface HsvPlanes {
  /** Hue in degrees, 0 to 360; 0 for grey. */
  readonly hue: Float32Array;
  readonly saturation: Float32Array;
  readonly value: Float32Array;
}

/** Hue, saturation and value of every pixel (Smith 1978). */
export function hsvPlanes(frame: Frame): HsvPlanes {
  const count = frame.red.length;
  const hue = new Float32Array(count);
  const saturation = new Float32Array(count);
  const value = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const r = frame.red[i] as number;
    const g = frame.green[i] as number;
    const b = frame.blue[i] as number;
    const max = Math.max(r, g, b);
    const range = max - Math.min(r, g, b);
    value[i] = max;
    if (range < 1e-6) continue;
    saturation[i] = range / max;
    const sector = max === r ? (g - b) / range : max === g ? 2 + (b - r) / range : 4 + (r - g) / range;
    hue[i] = (sector * 60 + 360) % 360;
  }
  return { hue, saturation, value };
}

/** CIE 1976 L*a*b* under D65: L 0 to 100, a and b about ±100. */
export interface LabPlanes {
  readonly lightness: Float32Array;
  readonly a: Float32Array;
  readonly b: Float32Array;
}

/** sRGB to CIE L*a*b*, D65 white (IEC 61966-2-1 and CIE 15). */
export function labPlanes(frame: Frame): LabPlanes {
  const linear = linearTable();
  const count = frame.red.length;
  const lightness = new Float32Array(count);
  const a = new Float32Array(count);
  const b = new Float32Array(count);
  const last = linear.length - 1;
  for (let i = 0; i < count; i++) {
    const r = linear[Math.round((frame.red[i] as number) * last)] as number;
    const g = linear[Math.round((frame.green[i] as number) * last)] as number;
    const blue = linear[Math.round((frame.blue[i] as number) * last)] as number;
    const x = labCurve((0.4124564 * r + 0.3575761 * g + 0.1804375 * blue) / 0.95047);
    const y = labCurve(0.2126729 * r + 0.7151522 * g + 0.072175 * blue);
    const z = labCurve((0.0193339 * r + 0.119192 * g + 0.9503041 * blue) / 1.08883);
    lightness[i] = 116 * y - 16;
    a[i] = 500 * (x - y);
    b[i] = 200 * (y - z);
  }
  return { lightness, a, b };
}

function labCurve(ratio: number): number {
  return ratio > 216 / 24389 ? Math.cbrt(ratio) : ((24389 / 27) * ratio + 16) / 116;
}

/** The sRGB decoding curve at 4096 evenly spaced levels: a table is ten times faster than the power. */
function linearTable(): Float32Array {
  return Float32Array.from({ length: 4096 }, (_, level) => {
    const coded = level / 4095;
    return coded <= 0.04045 ? coded / 12.92 : ((coded + 0.055) / 1.055) ** 2.4;
  });
}
