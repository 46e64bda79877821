import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile, input } from '../../../src/tensor/index.ts';
import { rotaryEmbedding } from '../../../src/vision/backbones/rope.ts';

/** One head of one patch turned, number by number, as the field guide writes it down. */
function turned(
  head: readonly number[],
  row: number,
  column: number,
  rows: number,
  columns: number,
): number[] {
  const half = head.length / 2;
  const quarter = half / 2;
  const coordinates = [(2 * (row + 0.5)) / rows - 1, (2 * (column + 0.5)) / columns - 1];
  return head.map((x, i) => {
    const k = i % half;
    const coordinate = coordinates[k < quarter ? 0 : 1] as number;
    const angle = (2 * Math.PI * coordinate) / 100 ** ((k % quarter) / quarter);
    const partner = i < half ? -(head[i + half] as number) : (head[i - half] as number);
    return x * Math.cos(angle) + partner * Math.sin(angle);
  });
}

describe('rotary embedding', () => {
  it('turns every head of every patch by its place, and leaves prefix tokens as they are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 3 }),
        fc.constantFrom(4, 8, 16),
        fc.integer({ min: 1, max: 3 }),
        async (rows, columns, prefix, headWidth, heads) => {
          const tokens = prefix + rows * columns;
          const dim = heads * headWidth;
          const rotate = rotaryEmbedding([rows, columns], { prefix, headWidth });
          const program = await compile(
            { outputs: { y: rotate(input('x', [2, tokens, dim])) } },
            { threads: 1 },
          );
          const x = Float32Array.from({ length: 2 * tokens * dim }, (_, i) => Math.sin(1.7 * i));
          const y = (await program.run({ x })).y?.values as Float32Array;
          await program.dispose();
          for (let at = 0; at < x.length; at += headWidth) {
            const patch = (Math.floor(at / dim) % tokens) - prefix;
            const head = [...x.slice(at, at + headWidth)];
            const [row, column] = [Math.floor(patch / columns), patch % columns];
            const want = patch < 0 ? head : turned(head, row, column, rows, columns);
            want.forEach((value, i) => {
              expect(y[at + i]).toBeCloseTo(value, 5);
            });
          }
        },
      ),
      { numRuns: 20 },
    );
  });
});
