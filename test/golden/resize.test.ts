import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { decodePhoto } from '../../src/vision/photos/index.ts';
import { resample } from '../../src/vision/preprocess/resample.ts';
import type { Interpolation } from '../../src/vision/preprocess/taps.ts';

const shared = process.env.SWARD_SHARED ?? '../shared';
const folder = join(process.env.SWARD_GOLDEN ?? join(shared, 'golden'), 'resize');
const caseFile = join(folder, 'case.json');

/** Mean absolute difference, in grey levels, that the golden case allows. */
const TOLERANCE = 0.35;

const schema = z.object({
  source: z.string(),
  decoded_mean_rgb: z.tuple([z.number(), z.number(), z.number()]),
  cases: z.record(
    z.string(),
    z.object({ crop: z.tuple([z.number(), z.number(), z.number(), z.number()]), size: z.number() }),
  ),
});

describe.skipIf(!existsSync(caseFile))('golden resize: Pillow', async () => {
  const facts = existsSync(caseFile) ? schema.parse(JSON.parse(readFileSync(caseFile, 'utf8'))) : undefined;
  const pixels = facts ? await decodePhoto(join(shared, facts.source)) : undefined;

  it('decodes the photo to the same mean colour', () => {
    const sums = [0, 0, 0];
    pixels?.data.forEach((value, at) => {
      sums[at % 3] = (sums[at % 3] ?? 0) + value;
    });
    const count = (pixels?.data.length ?? 0) / 3;
    sums.forEach((sum, channel) => {
      expect(sum / count).toBeCloseTo(facts?.decoded_mean_rgb[channel] ?? Number.NaN, 0);
    });
  });

  it.each(Object.entries(facts?.cases ?? {}))('%s', async (name, { crop, size }) => {
    const [left, top, right, bottom] = crop;
    const interpolation = name.split('_').at(-1) as Interpolation;
    const expected = await decodePhoto(join(folder, `${name}.png`));
    if (!pixels) throw new Error('the photo was not decoded');
    const ours = resample(pixels, { left, top, right, bottom }, { width: size, height: size }, interpolation);
    expect([ours.width, ours.height]).toEqual([expected.width, expected.height]);
    const difference = ours.data.reduce(
      (sum, value, at) => sum + Math.abs(value - (expected.data[at] ?? 0)),
      0,
    );
    expect(difference / ours.data.length).toBeLessThanOrEqual(TOLERANCE);
  });
});
