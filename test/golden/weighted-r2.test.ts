import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSafetensors, readTensorAsFloat32 } from '../../src/formats/safetensors/index.ts';
import { weightedR2 } from '../../src/pasture/metric.ts';
import { type Targets, targetsFromArray } from '../../src/pasture/targets.ts';

const golden = process.env.SWARD_GOLDEN ?? join(process.env.SWARD_SHARED ?? '../shared', 'golden');
const caseFile = join(golden, 'losses/case.safetensors');

describe.skipIf(!existsSync(caseFile))('golden losses: the metric', () => {
  it('gives the weighted R² of the golden batch', async () => {
    const file = await openSafetensors(caseFile);
    // The golden columns are green, dead, clover, GDM, total: the order of TARGET_NAMES.
    const rows = async (name: string): Promise<Targets[]> => {
      const values = await readTensorAsFloat32(file, name);
      return Array.from({ length: values.length / 5 }, (_, row) => targetsFromArray(values, row * 5));
    };
    const expected = (await readTensorAsFloat32(file, 'weighted_r2'))[0] ?? Number.NaN;
    expect(weightedR2(await rows('target'), await rows('pred'))).toBeCloseTo(expected, 5);
  });
});
