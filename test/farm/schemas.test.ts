import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  Calibration,
  Cut,
  Estimate,
  heightOfClicks,
  Paddock,
  PhotoRecord,
  Visit,
} from '../../src/farm/index.ts';
import { paddockOf, rectangle, uuid } from './records.ts';

const sha256 = 'ab'.repeat(32);
const photo = {
  id: uuid(1),
  visitId: null,
  sha256,
  capturedAt: '2026-11-03T09:12:00+11:00',
  position: { longitude: 147.1, latitude: -42.5, accuracyMetres: 6 },
  frameAreaSquareMetres: 0.21,
  height: { centimetres: 7.5, method: 'falling-plate' },
};
const masses = { green: 20, dead: 5, clover: 0, gdm: 20, total: 25 };
const estimate = {
  id: uuid(2),
  photoId: uuid(1),
  source: 'modelled',
  estimatedAt: '2026-11-03T09:12:05+11:00',
  masses,
  frameAreaSquareMetres: 0.21,
  kgDmPerHa: { green: 952, dead: 238, clover: null, gdm: 952, total: 1190 },
  interval: { coverage: 0.9, green: [10, 35], dead: [0, 12], clover: null, gdm: [10, 35], total: [12, 44] },
  outOfDomain: { share: 0.4, flagged: false },
  height: null,
  run: { id: 'starter', name: 'starter', hash: sha256 },
  engine: 'onnxruntime-node 1.30.0',
  precision: 'fp32',
};

describe('records of a farm', () => {
  it('take what they are of, and become JSON schemas for an API', () => {
    expect(PhotoRecord.parse(photo)).toEqual(photo);
    expect(Estimate.parse(estimate)).toEqual(estimate);
    const visit = { id: uuid(3), paddockId: uuid(4), startedAt: '2026-11-03T09:00:00Z' };
    expect(Visit.parse(visit).note).toBe('');
    for (const schema of [Paddock, Visit, PhotoRecord, Estimate, Cut, Calibration]) {
      expect(z.toJSONSchema(schema)).toMatchObject({ type: 'object', additionalProperties: false });
    }
  });

  it.each([
    ['an id that is no UUID', { id: 'photo-1' }],
    ['a hash in capitals', { sha256: 'AB'.repeat(32) }],
    ['a moment without its offset', { capturedAt: '2026-11-03T09:12:00' }],
    ['a frame of no area', { frameAreaSquareMetres: 0 }],
    ['a height without how it was measured', { height: { centimetres: 7.5 } }],
    ['a latitude beyond the pole', { position: { longitude: 0, latitude: 91, accuracyMetres: 1 } }],
    ['a member that nobody knows', { visit: uuid(3) }],
  ])('refuse %s', (_, change) => {
    expect(PhotoRecord.safeParse({ ...photo, ...change }).success).toBe(false);
  });

  it('refuse an estimate that calls itself measured, or a negative mass', () => {
    expect(Estimate.safeParse({ ...estimate, source: 'measured' }).success).toBe(false);
    expect(Estimate.safeParse({ ...estimate, masses: { ...masses, dead: -1 } }).success).toBe(false);
  });

  it('refuse a paddock whose boundary crosses itself, and say what to do', () => {
    const bow: [number, number][] = [
      [147, -42],
      [147.01, -42.01],
      [147.01, -42],
      [147, -42.01],
      [147, -42],
    ];
    const parsed = Paddock.safeParse(paddockOf(bow));
    expect(parsed.error?.issues[0]?.message).toMatch(
      /crosses or touches itself near .*draw the corners in order/,
    );
    expect(Paddock.safeParse(paddockOf(rectangle(147, -42.01, 147.01, -42))).success).toBe(true);
    expect(Paddock.safeParse({ ...paddockOf(rectangle(0, 0, 1, 1)), name: '  ' }).success).toBe(false);
  });

  it('count clicks of a rising plate as half centimetres, of a method that is told apart', () => {
    expect(heightOfClicks(15)).toEqual({ centimetres: 7.5, method: 'rising-plate' });
  });
});
