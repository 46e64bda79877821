import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import {
  extractFeatures,
  type FeaturePlan,
  featureLayout,
  featurePlan,
  viewCut,
} from '../../../src/vision/features/index.ts';
import { viewBoxes } from '../../../src/vision/preprocess/views.ts';
import type { ResolvedWeights } from '../../../src/vision/weights/index.ts';
import { writeTinyBackbone } from '../../networks/tiny-photos.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const root = temporaryFolder('windows');
const cacheFolder = join(root, 'cache');
const WIDTH = 16;
let weights: ResolvedWeights;

beforeAll(async () => {
  weights = await writeTinyBackbone(join(root, 'tiny.safetensors'));
});

/** A photo of noise. */
async function photoOf(width: number, height: number): Promise<string> {
  const path = join(root, `${width}x${height}.png`);
  const random = randomStream(width);
  const pixels = Buffer.from(Uint8Array.from({ length: width * height * 3 }, () => random.integer(256)));
  await sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(path);
  return path;
}

type Draft = Parameters<typeof featurePlan>[0];

const windows = (draft: Draft = {}): FeaturePlan => featurePlan({ view: 'windows', ...draft });

async function featuresOf(photo: string, plan: FeaturePlan, turn = 0): Promise<number[]> {
  return [...(await extractFeatures([photo], weights, plan, { cacheFolder, turn })).data];
}

/** The vectors of a photo's windows, each saved as a photo of its own. */
async function windowsByHand(photo: string, plan: FeaturePlan, turn = 0): Promise<number[][]> {
  const { width, height } = await sharp(photo).metadata();
  const boxes = viewBoxes(viewCut(plan), width, height);
  const whole = featurePlan({ view: 'whole' });
  const paths = boxes.map((_, index) => join(root, `window-${index}.png`));
  for (const [index, { left, top, right, bottom }] of boxes.entries()) {
    await sharp(photo)
      .extract({ left, top, width: right - left, height: bottom - top })
      .png()
      .toFile(paths[index] as string);
  }
  const { data } = await extractFeatures(paths, weights, whole, { cacheFolder, turn });
  return boxes.map((_, index) => [...data.slice(index * WIDTH, (index + 1) * WIDTH)]);
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, column) => {
    expect(value).toBeCloseTo(expected[column] ?? Number.NaN, 4);
  });
}

const columnMeans = (rows: readonly number[][]): number[] =>
  Array.from({ length: WIDTH }, (_, column) =>
    rows.reduce((sum, row) => sum + (row[column] ?? Number.NaN) / rows.length, 0),
  );

describe('features of windows', () => {
  it.each([
    ['a lying photo', 120, 60, {}, 0],
    ['an upright photo', 60, 100, {}, 0],
    ['a mirrored photo, each window by itself', 120, 60, {}, 1],
    ['more windows than go through together', 90, 70, { across: 5, down: 5, side: '1/4' }, 0],
  ] as const)(
    'kept are those of the windows as photos of their own, averaged their mean: %s',
    async (...given) => {
      const [, width, height, settings, turn] = given;
      const photo = await photoOf(width, height);
      const kept = windows({ windows: settings, combine: 'keep' });
      const byHand = await windowsByHand(photo, kept, turn);
      expect(new Set(byHand.map((vector) => vector[0])).size).toBeGreaterThan(1);
      expectClose(await featuresOf(photo, kept, turn), byHand.flat());
      expectClose(await featuresOf(photo, windows({ windows: settings }), turn), columnMeans(byHand));
    },
  );

  it.each([
    [60, 60],
    [400, 10],
    [5, 90],
    [4, 2],
  ])('of a photo of %i × %i pixels are as many as of any other', async (width, height) => {
    const photo = await photoOf(width, height);
    const vector = await featuresOf(photo, windows({ combine: 'keep' }));
    expect(vector).toHaveLength(10 * WIDTH);
    expect(vector.every(Number.isFinite)).toBe(true);
  });

  it('are remembered by their settings', async () => {
    const photo = await photoOf(80, 50);
    const computed = async (draft: Draft): Promise<number> =>
      (await extractFeatures([photo], weights, windows(draft), { cacheFolder })).computed;
    expect(await computed({})).toBe(1);
    expect(await computed({ windows: { side: '2/3', across: 5, down: 2 } })).toBe(0);
    expect(await computed({ windows: { side: 0.7 } })).toBe(1);
    expect(await computed({ windows: { across: 4 } })).toBe(1);
    expect(await computed({ windows: { across: 2, down: 5 } })).toBe(1);
    expect(await computed({ windows: { side: '1/2' } })).toBe(1);
    expect(await computed({ windows: { side: 0.5 } })).toBe(0);
  });

  it('with int8 weights are near those in single precision', async () => {
    const photo = await photoOf(120, 60);
    const exact = await featuresOf(photo, windows());
    const rounded = await featuresOf(photo, windows({ precision: 'int8' }));
    expect(rounded).not.toEqual(exact);
    const scale = Math.max(...exact.map(Math.abs));
    expect(Math.max(...rounded.map((value, at) => Math.abs(value - (exact[at] ?? 0)))) / scale).toBeLessThan(
      0.1,
    );
  });
});

describe('a plan of windows', () => {
  it('has all their settings, other plans have none', () => {
    expect(windows().windows).toEqual({ side: 2 / 3, across: 5, down: 2 });
    expect(windows({ windows: { side: '1/2' } }).windows).toEqual({ side: 0.5, across: 5, down: 2 });
    expect('windows' in featurePlan({ view: 'tiles' })).toBe(false);
  });

  it('is one half of one part, or of as many parts as windows where they are kept', () => {
    expect(featureLayout(windows())).toEqual({ halves: 1, parts: 1 });
    expect(featureLayout(windows({ combine: 'keep' }))).toEqual({ halves: 1, parts: 10 });
    expect(featureLayout(windows({ combine: 'keep', windows: { across: 3, down: 3 } }))).toEqual({
      halves: 1,
      parts: 9,
    });
  });

  it.each<[Draft, RegExp]>([
    [{ view: 'windows', pooling: 'patches' }, /pooling "patches".*choose view whole or halves/],
    [{ view: 'tiles', windows: { across: 3 } }, /windows: view tiles has none; choose view windows/],
    [{ windows: {} }, /windows: view halves has none/],
    [{ view: 'windows', windows: { side: 0.4 } }, /windows: side × across and side × down must be 1 or more/],
    [{ view: 'windows', windows: { side: 0 } }, /windows\.side: /],
    [{ view: 'windows', windows: { side: '4/3' } }, /windows\.side: /],
    [{ view: 'windows', windows: { side: 'large' } }, /windows\.side: /],
    [{ view: 'windows', windows: { down: 0 } }, /windows\.down: /],
    [{ view: 'windows', windows: { across: 33 } }, /windows\.across: /],
    [{ view: 'windows', windows: { across: 2.5 } }, /windows\.across: /],
  ])('is refused: %j', (draft, message) => {
    expect(() => featurePlan(draft)).toThrow(message);
  });

  it('may have thirds, which are no decimal numbers', () => {
    const { windows: thirds } = windows({ windows: { side: '1/3', across: 6, down: 3 } });
    expect(thirds).toEqual({ side: 1 / 3, across: 6, down: 3 });
  });
});
