import { describe, expect, it } from 'vitest';
import { makeView } from '../../src/sample/camera.ts';
import { linearFromHsv, linearFromSrgb, srgbFromLinear } from '../../src/sample/colour.ts';
import { leafIrradiance, makeLight } from '../../src/sample/light.ts';
import { fractalNoise, latticeUniform } from '../../src/sample/noise.ts';
import { castSegment, makeShadowMap, sunlitShare } from '../../src/sample/shadow-map.ts';

const CAMERA = {
  heightCm: 120,
  rotation: 0,
  tilt: [0, 0],
  shift: [0, 0],
  blur: 0,
  noise: 0,
  vignette: 0,
  saturation: 1,
  contrast: 0,
  exposure: 1,
  jpegQuality: 90,
} as const;

describe('colour', () => {
  it('goes to linear light and back', () => {
    for (const encoded of [0, 0.02, 0.04045, 0.2, 0.5, 1]) {
      expect(srgbFromLinear(linearFromSrgb(encoded))).toBeCloseTo(encoded, 6);
    }
  });

  it('places hues where a colour wheel has them', () => {
    expect(linearFromHsv(0, 1, 1)).toEqual([1, 0, 0]);
    expect(linearFromHsv(120, 1, 1)).toEqual([0, 1, 0]);
    expect(linearFromHsv(-120, 1, 1)).toEqual([0, 0, 1]);
  });
});

describe('the camera', () => {
  it('shows the frame from edge to edge and the middle in the middle', () => {
    const view = makeView(CAMERA, 1000, 500);
    const point = new Float64Array(3);
    const pixelOf = (x: number, y: number, z: number): number[] => {
      view.project(x, y, z, point);
      return [...point.subarray(0, 2)].map((pixel) => Math.round(pixel * 1e6) / 1e6 + 0);
    };
    expect(pixelOf(0, 0, 0)).toEqual([0, 0]);
    expect(pixelOf(70, 30, 0)).toEqual([1000, 500]);
    expect(pixelOf(35, 15, 20)).toEqual([500, 250]);
  });

  it('enlarges what stands tall and lets it lean outward', () => {
    const view = makeView(CAMERA, 1000, 500);
    const point = new Float64Array(3);
    view.project(60, 15, 20, point);
    expect(point[2]).toBeCloseTo(1.2, 9);
    expect(point[0]).toBeCloseTo(500 + (25 * 1.2 * 1000) / 70, 6);
  });
});

describe('light', () => {
  it('falls fully on a leaf that faces the sun and partly through one that turns its back', () => {
    const light = makeLight({ elevation: 0.9, azimuth: 1.2, clearness: 1, warmth: 0 });
    const [x, y, z] = light.toSun;
    expect(Math.hypot(x, y, z)).toBeCloseTo(1, 12);
    expect(leafIrradiance(light, x, y, z, 0.3)).toBeCloseTo(1, 12);
    expect(leafIrradiance(light, -x, -y, -z, 0.3)).toBeCloseTo(0.3, 12);
  });

  it('does not reach what lies under a leaf, but reaches the leaf itself and the ground beside it', () => {
    const view = makeView(CAMERA, 200, 100);
    const shadows = makeShadowMap(view);
    castSegment(shadows, 50, 50, 150, 50, 6, 5, 5);
    expect(sunlitShare(shadows, 100, 50, 0)).toBeLessThan(0.2);
    expect(sunlitShare(shadows, 100, 50, 5)).toBe(1);
    expect(sunlitShare(shadows, 100, 80, 0)).toBe(1);
  });
});

describe('noise', () => {
  it('is the same for the same place and seed, and within its range', () => {
    for (let index = -50; index < 50; index++) {
      const value = fractalNoise(index * 0.37, index * -1.1, 9, 3);
      expect(value).toBe(fractalNoise(index * 0.37, index * -1.1, 9, 3));
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThan(1);
    }
  });

  it('has lattice values that spread evenly', () => {
    const bins = new Array<number>(10).fill(0);
    for (let y = 0; y < 100; y++) {
      for (let x = 0; x < 100; x++) {
        const bin = Math.floor(latticeUniform(x, y, 4) * 10);
        bins[bin] = (bins[bin] ?? 0) + 1;
      }
    }
    for (const count of bins) {
      expect(count).toBeGreaterThan(880);
      expect(count).toBeLessThan(1120);
    }
  });
});
