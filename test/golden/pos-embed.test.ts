import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  compile,
  concat,
  input,
  loadTensors,
  reshape,
  resize,
  slice,
  type TensorData,
  transpose,
} from '../../src/tensor/index.ts';

const path = join(
  process.env.SWARD_GOLDEN ?? join(process.env.SWARD_SHARED ?? '../shared', 'golden'),
  'pos_embed',
  'case.safetensors',
);

describe.skipIf(!existsSync(path))('golden position embedding', () => {
  it.each([
    [16, 16],
    [16, 32],
    [37, 37],
    [48, 24],
  ] as const)('resampled to %i×%i equals timm', async (rows, columns) => {
    const { tensors } = await loadTensors(path);
    const source = input('pos_embed', [1, 1370, 16]);
    const map = transpose(reshape(slice(source, { 1: [1, 1370] }), [1, 37, 37, 16]), [0, 3, 1, 2]);
    const resized = transpose(resize(map, [rows, columns], { mode: 'bicubic' }), [0, 2, 3, 1]);
    const y = concat([slice(source, { 1: [0, 1] }), reshape(resized, [1, rows * columns, 16])], 1);
    const program = await compile({ outputs: { y } });
    const result = await program.run({ pos_embed: tensors.pos_embed as TensorData });
    const got = result.y?.values as Float32Array;
    const want = tensors[`to_${rows}x${columns}`]?.values as Float32Array;
    expect(got.length).toBe(want.length);
    expect(Math.max(...got.map((value, i) => Math.abs(value - (want[i] as number))))).toBeLessThan(1e-4);
    await program.dispose();
  });
});
