import { describe, expect, it } from 'vitest';
import { farApartNotes } from '../../src/farm/far-apart.ts';
import type { SampledFrame } from '../../src/farm/visit-mean.ts';

const frame = (estimate: number | null, cut: number | null): SampledFrame => ({
  estimate,
  cut,
  isMemory: false,
});

describe('cuts beside what photos say', () => {
  it('of fresh weights are told of', () => {
    expect(farApartNotes([[frame(2000, 9000), frame(1000, 6000), frame(1500, null)]])).toEqual([
      'cuts are 5.0 times what photos say (7500 and 1500 kg DM/ha, mean of 2 frames): were they weighed fresh? Dry weights are wanted',
    ]);
  });

  it('of another unit are told of', () => {
    expect(farApartNotes([[frame(2000, 200)]])).toEqual([
      'cuts are 10 % of what photos say (200 and 2000 kg DM/ha, mean of 1 frame): look at the unit, and at the area of the frame',
    ]);
  });

  it('that differ as estimates do are not', () => {
    expect(farApartNotes([[frame(1000, 2900)], [frame(1000, 9000)]])).toEqual([]);
    expect(farApartNotes([[frame(1000, 340)]])).toEqual([]);
  });

  it('are told of by the first mass that was cut, and not where nothing was, or nothing is there', () => {
    expect(farApartNotes([[frame(1000, null)], [frame(1000, 4000)]])).toHaveLength(1);
    expect(farApartNotes([[frame(1000, null)], [frame(null, 900)], []])).toEqual([]);
    expect(farApartNotes([[frame(0, 900)]])).toEqual([]);
    expect(farApartNotes([[frame(900, 0)]])).toEqual([]);
  });
});
