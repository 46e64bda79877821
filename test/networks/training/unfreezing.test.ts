import { describe, expect, it } from 'vitest';
import { fineTuneSettings } from '../../../src/networks/settings/fine-tune.ts';
import { partAt, trainedParts } from '../../../src/networks/training/unfreezing.ts';
import { makeBackbone } from '../../../src/vision/backbones/index.ts';

const backbone = makeBackbone('dinov2', { dim: 24, depth: 4, heads: 3, imgSize: [28, 28] });
const NAMES = [
  'patch_embed.proj.weight',
  ...[0, 1, 2, 3].map((k) => `blocks.${k}.mlp.fc1.weight`),
  'norm.bias',
];
const ADAPTERS = [0, 1, 2, 3].map((k) => `blocks.${k}.attn.qkv.lora_a`);

/** How many of the names each part trains, in order. */
function sizes(draft: object, names: readonly string[] = NAMES): number[] {
  return trainedParts(backbone, fineTuneSettings.parse(draft)).map(
    ({ trains }) => names.filter(trains).length,
  );
}

describe('the trained parts of a backbone', () => {
  it('are nothing, the last blocks or all of it at once', () => {
    expect(sizes({})).toEqual([0]);
    expect(sizes({ mode: 'full' })).toEqual([6]);
    expect(sizes({ mode: 'last', lastBlocks: 1 })).toEqual([2]);
    expect(sizes({ mode: 'last', lastBlocks: 0.5 })).toEqual([3]);
  });

  it('are adapters and nothing else with LoRA, and never adapters without', () => {
    expect(sizes({ mode: 'lora' })).toEqual([0]);
    expect(sizes({ mode: 'lora' }, ADAPTERS)).toEqual([4]);
    expect(sizes({ mode: 'full' }, ADAPTERS)).toEqual([0]);
  });

  it('grow from the last block to the first, the stem with the first', () => {
    const unfreeze = { schedule: 'gradual', blocks: 1 };
    expect(sizes({ mode: 'full', unfreeze })).toEqual([1, 2, 3, 4, 6]);
    expect(sizes({ mode: 'last', lastBlocks: 2, unfreeze })).toEqual([1, 2, 3]);
    expect(sizes({ mode: 'full', unfreeze: { ...unfreeze, blocks: 3 } })).toEqual([1, 4, 6]);
    expect(sizes({ mode: 'lora', unfreeze }, ADAPTERS)).toEqual([0, 1, 2, 3, 4]);
  });

  it('have a rate that moves evenly to the one at the end', () => {
    const settings = fineTuneSettings.parse({
      mode: 'last',
      lastBlocks: 2,
      unfreeze: { schedule: 'gradual', blocks: 1 },
      backboneRate: 0.1,
      backboneRateAtEnd: 0.3,
    });
    const rates = trainedParts(backbone, settings).map(({ rate }) => rate);
    expect(rates).toEqual([0.1, expect.closeTo(0.2), expect.closeTo(0.3)]);
  });

  it('cannot be more blocks than there are, nor parts of one', () => {
    for (const lastBlocks of [5, 1.5]) {
      expect(() => sizes({ mode: 'last', lastBlocks })).toThrow(/lastBlocks .* has 4 blocks/);
    }
  });
});

describe('the part trained next', () => {
  const at = (scores: number[], schedule: string): number =>
    partAt(scores, 3, fineTuneSettings.parse({ unfreeze: { schedule, every: 2 } }).unfreeze);

  it('is the only one when all join at once', () => {
    expect(at([1, 1, 1, 1], 'at-once')).toBe(0);
  });

  it('grows every so many epochs, to the last', () => {
    expect([0, 1, 2, 3, 4, 5, 9].map((epochs) => at(Array(epochs).fill(0), 'gradual'))).toEqual([
      0, 0, 1, 1, 2, 2, 2,
    ]);
  });

  it('grows when validation has not been better for a while', () => {
    expect(at([], 'adaptive')).toBe(0);
    expect(at([0.1, 0.2, 0.3], 'adaptive')).toBe(0);
    expect(at([0.3, 0.2, 0.3], 'adaptive')).toBe(1);
    expect(at([0.3, 0.2, 0.2, 0.4, 0.1], 'adaptive')).toBe(1);
    expect(at([0.3, 0, 0, 0, 0, 0, 0, 0, 0], 'adaptive')).toBe(2);
  });
});
