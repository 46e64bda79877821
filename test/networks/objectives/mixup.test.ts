import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import { mixupFeeds, mixupInputs } from '../../../src/networks/objectives/mixup.ts';
import { compile, constant } from '../../../src/tensor/index.ts';

describe('embedding mixup', () => {
  const always = { probability: 1, alpha: 0.4 };

  it('mixes each row with its partner, and rows that only fill the batch with themselves', async () => {
    const x = constant([1, 2, 3, 40, 50, 60, 7, 7, 7], [3, 3]);
    const program = await compile({ outputs: { mixed: mixupInputs(3)(x) } });
    const feeds = { 'mixup.share': Float32Array.of(0.75), 'mixup.partner': Int32Array.of(1, 0, 2) };
    const { mixed } = await program.run(feeds);
    expect(Array.from(mixed?.values as Float32Array)).toEqual([10.75, 14, 17.25, 30.25, 38, 45.75, 7, 7, 7]);
    await program.dispose();
    const drawn = mixupFeeds(randomStream(1), 2, 3, always)['mixup.partner'] as Int32Array;
    expect([...drawn.slice(0, 2)].sort()).toEqual([0, 1]);
    expect(drawn[2]).toBe(2);
  });

  it('keeps at least half of a photo, and leaves batches alone as often as it is told', () => {
    const shares = Array.from({ length: 400 }, (_, seed) => {
      const feeds = mixupFeeds(randomStream(seed), 4, 4, { probability: 0.25, alpha: 1 });
      return (feeds['mixup.share'] as Float32Array)[0] as number;
    });
    expect(shares.every((share) => share >= 0.5 && share <= 1)).toBe(true);
    expect(shares.filter((share) => share < 1).length / 400).toBeCloseTo(0.25, 1);
  });
});
