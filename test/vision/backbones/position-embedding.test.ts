import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import { compile, openSafetensors, readTensorAsFloat32, Scope } from '../../../src/tensor/index.ts';
import { positionEmbedding } from '../../../src/vision/backbones/position-embedding.ts';

const path = join(process.env.SWARD_SHARED ?? '../shared', 'golden', 'pos_embed', 'case.safetensors');

describe.skipIf(!existsSync(path))('position embedding', () => {
  it.each([
    [16, 16],
    [16, 32],
    [37, 37],
    [48, 24],
  ] as const)('of 37 × 37 patches and CLS equals timm on %i × %i', async (rows, columns) => {
    const file = await openSafetensors(path);
    const scope = Scope.root({ random: randomStream(0), trainable: () => false }).from(file);
    const y = positionEmbedding(scope, 16, { native: [37, 37], grid: [rows, columns], prefix: 1 });
    expect(y.shape).toEqual([1, 1 + rows * columns, 16]);
    const program = await compile({ outputs: { y } }, { threads: 1 });
    const got = (await program.run()).y?.values as Float32Array;
    await program.dispose();
    const want = await readTensorAsFloat32(file, `to_${rows}x${columns}`);
    expect(got.length).toBe(want.length);
    expect(Math.max(...got.map((value, i) => Math.abs(value - (want[i] as number))))).toBeLessThan(1e-4);
  });
});
