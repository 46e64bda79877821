import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DESCRIPTOR_NAMES, describePhoto } from '../../../src/vision/descriptors/describe.ts';
import { decodePhoto } from '../../../src/vision/photos/decode.ts';
import { inspectPhoto } from '../../../src/vision/photos/inspect.ts';

const folder = join(process.env.SWARD_SHARED ?? '../shared', 'csiro');

describe.skipIf(!existsSync(folder))('a real photo of a quadrat', () => {
  const path = join(folder, 'test', 'ID1001187975.jpg');

  it('is read at its size', async () => {
    expect(await inspectPhoto(path)).toMatchObject({ width: 2000, height: 1000 });
  });

  it('has finite descriptors, with cover shares between 0 and 1', async () => {
    const values = describePhoto(await decodePhoto(path));
    expect(values.every((value) => Number.isFinite(value))).toBe(true);
    for (const name of ['cover.green', 'cover.brown', 'cover.bare', 'cover.shadow']) {
      const value = values[DESCRIPTOR_NAMES.indexOf(name)] ?? Number.NaN;
      expect(value, name).toBeGreaterThan(0);
      expect(value, name).toBeLessThan(1);
    }
  });

  it('hardly changes its descriptors when shrunk by a fifth', async () => {
    const whole = describePhoto(await decodePhoto(path));
    const shrunk = describePhoto(await decodePhoto(path, { width: 1600, height: 800 }));
    for (const name of ['cover.green', 'exg.mean', 'lab-a.mean', 'scatter-first.2', 'band-light3.log-sd']) {
      const index = DESCRIPTOR_NAMES.indexOf(name);
      const expected = whole[index] ?? Number.NaN;
      expect(Math.abs((shrunk[index] ?? Number.NaN) - expected), name).toBeLessThan(
        0.05 * Math.abs(expected),
      );
    }
  });
});
