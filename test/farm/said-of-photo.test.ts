import { describe, expect, it } from 'vitest';
import { Estimate, type SaidOfPhoto, saidOfPhoto } from '../../src/farm/index.ts';
import { byMass } from '../../src/pasture/targets.ts';
import { uuid } from './records.ts';

const said = (total: number, interval: readonly [number, number] | null, sessions = 23): SaidOfPhoto =>
  saidOfPhoto({
    targets: { ...byMass(() => Number.NaN), total },
    intervals: interval && {
      ...byMass(() => ({ low: Number.NaN, high: Number.NaN })),
      total: { low: interval[0], high: interval[1] },
    },
    coverage: interval && 0.9,
    sessions,
    frameAreaSquareMetres: 0.25,
    outOfDomain: { share: null, flagged: false },
    height: null,
  });

describe('what a run says of a photo', () => {
  it('is per hectare of the photo’s frame, and null of what the run does not predict', () => {
    const { masses, kgDmPerHa, interval } = said(50, [40, 65]);
    expect([masses.total, kgDmPerHa.total, interval?.total]).toEqual([50, 2000, [40, 65]]);
    expect([masses.clover, kgDmPerHa.clover, interval?.clover]).toEqual([null, null, null]);
    expect(said(50, null).interval).toBeNull();
  });

  it('claims no more than the run’s sessions can vouch for', () => {
    expect(said(50, [40, 65]).interval?.coverage).toBe(0.9);
    expect(said(50, [40, 65], 4).interval?.coverage).toBe(0.8);
  });

  it('is no mass below nothing, so that it is an estimate that every device reads', () => {
    const { masses, kgDmPerHa, interval } = said(-3, [-20, -1]);
    expect([masses.total, kgDmPerHa.total, interval?.total]).toEqual([0, 0, [0, 0]]);
    const estimate = {
      ...said(-3, [-20, -1]),
      ...{ id: uuid(1), photoId: uuid(2), source: 'modelled', estimatedAt: '2026-11-03T09:00:00Z' },
      ...{ run: { id: 'a', name: 'a', hash: '0'.repeat(64) }, engine: 'sward', precision: 'fp32' },
    };
    expect(Estimate.safeParse(estimate).success).toBe(true);
  });
});
