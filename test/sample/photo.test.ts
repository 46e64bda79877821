import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/ground/random.ts';
import { planQuadrat, type QuadratPlan, renderQuadrat } from '../../src/sample/photo.ts';
import { planSessions, type Session } from '../../src/sample/session.ts';

const WIDTH = 200;
const HEIGHT = 100;

function sessionWhere(fits: (session: Session) => boolean): Session {
  const found = planSessions(24, randomStream(3)).find(fits);
  if (found === undefined) throw new Error('no such session in 24');
  return { ...found, stamped: false };
}

const RYEGRASS = sessionWhere((session) => session.species.includes('Ryegrass'));

function quadrat(session: Session, masses: Partial<QuadratPlan>): QuadratPlan {
  return { session, greenGrams: 0, deadGrams: 0, cloverGrams: 0, heightFactor: 1, ...masses };
}

/** Mean excess green, (2g − r − b) / (r + g + b). */
function greenness(pixels: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < pixels.length; at += 3) {
    const [r = 0, g = 0, b = 0] = pixels.subarray(at, at + 3);
    sum += (2 * g - r - b) / (r + g + b + 1);
  }
  return sum / (pixels.length / 3);
}

describe('a rendered quadrat', () => {
  it('weighs more and looks greener the more blades it has', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), (seed) => {
        const photos = [1, 8, 40].map((greenGrams) =>
          renderQuadrat(quadrat(RYEGRASS, { greenGrams }), WIDTH, HEIGHT, randomStream(seed)),
        );
        const green = photos.map((photo) => photo.components.green);
        const look = photos.map((photo) => greenness(photo.pixels));
        expect(green).toEqual([...green].sort((a, b) => a - b));
        expect(look).toEqual([...look].sort((a, b) => a - b));
      }),
      { numRuns: 4 },
    );
  });

  it('gets browner with dead matter, and only the dead mass grows', () => {
    const clean = renderQuadrat(quadrat(RYEGRASS, { greenGrams: 10 }), WIDTH, HEIGHT, randomStream(1));
    const littered = renderQuadrat(
      quadrat(RYEGRASS, { greenGrams: 10, deadGrams: 40 }),
      WIDTH,
      HEIGHT,
      randomStream(1),
    );
    expect(clean.components.dead).toBe(0);
    expect(littered.components.dead).toBeGreaterThan(40);
    expect(littered.components.green).toBe(clean.components.green);
    expect(greenness(littered.pixels)).toBeLessThan(greenness(clean.pixels));
  });

  it('stops within one plant of the masses it is asked for', () => {
    const plan = quadrat(RYEGRASS, { greenGrams: 12, deadGrams: 6, cloverGrams: 5 });
    const { components } = renderQuadrat(plan, 64, 32, randomStream(8));
    expect(components.green).toBeGreaterThanOrEqual(12);
    expect(components.green).toBeLessThan(12.5);
    expect(components.dead).toBeGreaterThanOrEqual(6);
    expect(components.dead).toBeLessThan(6.2);
    expect(components.clover).toBeGreaterThanOrEqual(5);
    expect(components.clover).toBeLessThan(5.2);
  });

  it('counts lucerne as green and leaves clover at zero where none is drawn', () => {
    const lucerne = sessionWhere((session) => session.species === 'Lucerne');
    const { components } = renderQuadrat(quadrat(lucerne, { greenGrams: 15 }), 64, 32, randomStream(2));
    expect(components.clover).toBe(0);
    expect(components.dead).toBe(0);
    expect(components.green).toBeGreaterThanOrEqual(15);
  });

  it('reads a higher NDVI and plate on a denser, taller sward', () => {
    const sparse = renderQuadrat(quadrat(RYEGRASS, { greenGrams: 2 }), 64, 32, randomStream(4));
    const dense = renderQuadrat(
      quadrat(RYEGRASS, { greenGrams: 45, heightFactor: 2 }),
      64,
      32,
      randomStream(4),
    );
    expect(dense.ndvi).toBeGreaterThan(sparse.ndvi);
    expect(dense.heightCm).toBeGreaterThan(sparse.heightCm);
  });

  it('weighs the same at any picture size', () => {
    const plan = quadrat(RYEGRASS, { greenGrams: 9, deadGrams: 3, cloverGrams: 4 });
    const small = renderQuadrat(plan, 64, 32, randomStream(6));
    const large = renderQuadrat(plan, 240, 120, randomStream(6));
    expect(large.components).toEqual(small.components);
    expect(large.pixels).toHaveLength(240 * 120 * 3);
  });

  it('carries the orange date in its lower right corner when the camera prints dates', () => {
    const plan = quadrat(RYEGRASS, { greenGrams: 5 });
    const orange = (stamped: boolean): number => {
      const session = { ...RYEGRASS, stamped };
      const { pixels } = renderQuadrat({ ...plan, session }, 400, 200, randomStream(9));
      let count = 0;
      for (let row = 150; row < 200; row++) {
        for (let column = 200; column < 400; column++) {
          const [r = 0, g = 0, b = 0] = pixels.subarray(
            (row * 400 + column) * 3,
            (row * 400 + column) * 3 + 3,
          );
          if (r > 200 && g > 90 && g < 190 && b < 110) count++;
        }
      }
      return count;
    };
    expect(orange(true)).toBeGreaterThan(orange(false) + 100);
  });
});

describe('the plan of sessions', () => {
  it('gives every session a date of its own, none in March', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 250 }), fc.integer(), (count, seed) => {
        const dates = planSessions(count, randomStream(seed)).map((session) => session.date);
        expect(new Set(dates).size).toBe(count);
        for (const date of dates) expect(date).not.toMatch(/^\d+\/3\//);
      }),
      { numRuns: 30 },
    );
  });

  it('prints dates in about a quarter of the sessions', () => {
    const stamped = planSessions(12, randomStream(2)).filter((session) => session.stamped);
    expect(stamped).toHaveLength(3);
  });

  it('keeps clover out of pure swards and dead matter out of the western ones', () => {
    for (const session of planSessions(40, randomStream(11))) {
      const random = randomStream(1);
      for (let photo = 0; photo < 5; photo++) {
        const plan = planQuadrat(session, random.fork(photo));
        if (!/Clover|clover/.test(session.species)) expect(plan.cloverGrams).toBe(0);
        if (session.state === 'WA') expect(plan.deadGrams).toBe(0);
        expect(plan.greenGrams).toBeGreaterThan(0);
      }
    }
  });
});
