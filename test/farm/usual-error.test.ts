import { expect, it } from 'vitest';
import { usualError } from '../../src/farm/index.ts';
import { byMass } from '../../src/pasture/targets.ts';

it('a run is usually off by what visits and photos of it err by together, in kg DM/ha', () => {
  const record = {
    spread: { offset: 1, exponent: 0 },
    ...{ betweenSessions: 9, withinSessions: 16, sessions: 8, photos: 40 },
  };
  const errors = { photo: byMass((mass) => (mass === 'total' ? record : null)), height: null };
  const run = { errors, frameAreaSquareMetres: 0.25 };
  // 5 g on 0.25 m² are 200 kg/ha.
  expect(usualError(run, 'total', 1500)).toBeCloseTo(200, 9);
  expect(usualError(run, 'clover', 100)).toBeNull();
  expect(usualError(run, 'total', 1500, 'height')).toBeNull();
});
