import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  adultEquivalent,
  DSE,
  DSE_PER_AE,
  DSE_RATINGS,
  type FeedBudgetQuestion,
  feedBudget,
} from '../../src/farm/index.ts';

const question: FeedBudgetQuestion = {
  foo: {
    value: 1600,
    low: 1300,
    high: 1900,
    unit: 'kg DM/ha',
    source: 'modelled',
    from: ['20 photos by run starter'],
  },
  cuttingHeightCentimetres: 0,
  hectares: { value: 10, unit: 'ha', source: 'measured', from: ['hectares of Hill as given'] },
  leave: { kind: 'residual', kgDmPerHa: 1000 },
  growth: 20,
  supplement: 0,
  head: 100,
  unitsPerHead: DSE_RATINGS['Merino ewe 50 kg, lactating with one'],
  unit: DSE,
};

describe('a feed budget', () => {
  it('of 100 ewes of 2.5 DSE on 10 ha lasts 160 days', () => {
    const budget = feedBudget(question);
    expect(budget.days).toEqual({ kind: 'days', days: expect.closeTo(160, 9) });
    expect(budget.low).toEqual({ kind: 'days', days: expect.closeTo(80, 9) });
    expect(budget.high).toEqual({ kind: 'days', days: expect.closeTo(240, 9) });
    expect(budget.netDemand).toBeCloseTo(37.5, 9);
    expect(budget.available).toBeCloseTo(6000, 9);
  });

  it('says what its units and its feed on offer mean, what it is made of, and that it is modelled', () => {
    const budget = feedBudget(question);
    expect(budget.definitions[0]).toMatch(/50 kg wether .* 0\.95 kg DM a day; 8\.4 DSE are 1 AE/);
    expect(budget.definitions[1]).toMatch(/above ground level/);
    expect(budget.source).toBe('modelled');
    expect(budget.from).toContain('20 photos by run starter');
    expect(feedBudget({ ...question, foo: { ...question.foo, source: 'measured' } }).source).toBe('measured');
    const cattle = feedBudget({ ...question, cuttingHeightCentimetres: 4, unit: adultEquivalent('low') });
    expect(cattle.definitions.join()).toMatch(
      /450 kg Bos taurus .*8\.5 kg DM a day.*above 4 cm; what is below is not counted/,
    );
  });

  it('is 0 days where nothing is above what is left, and endless where growth meets demand', () => {
    const bare = { ...question, foo: { ...question.foo, value: 900, low: 700, high: 1100 } };
    expect(feedBudget(bare)).toMatchObject({
      days: { kind: 'days', days: 0 },
      low: { days: 0 },
      available: 0,
    });
    expect(feedBudget({ ...question, growth: 23.75 }).days).toEqual({ kind: 'growth-meets-demand' });
    expect(feedBudget({ ...bare, growth: 30 }).days).toEqual({ kind: 'days', days: 0 });
    expect(feedBudget({ ...question, supplement: 300 }).days).toEqual({ kind: 'growth-meets-demand' });
  });

  it('takes a share that is eaten in place of what is left', () => {
    const half = feedBudget({ ...question, leave: { kind: 'utilisation', share: 0.375 } });
    expect(half.days).toEqual({ kind: 'days', days: expect.closeTo(160, 9) });
  });

  it('is refused what cannot be', () => {
    expect(() => feedBudget({ ...question, leave: { kind: 'utilisation', share: 40 } })).toThrow(
      /share above 0 and at most 1/,
    );
    expect(() => feedBudget({ ...question, head: -1 })).toThrow(/number of head -1/);
    expect(() => feedBudget({ ...question, hectares: { ...question.hectares, value: 0 } })).toThrow(
      /size of the paddock/,
    );
    expect(() => feedBudget({ ...question, growth: Number.NaN })).toThrow(/growth NaN/);
  });

  it('lasts longer with more feed and shorter with more stock', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 5000, noNaN: true }),
        fc.double({ min: 1, max: 500, noNaN: true }),
        fc.integer({ min: 1, max: 1000 }),
        (foo, more, head) => {
          const daysOf = (value: number, stock: number): number => {
            const { days } = feedBudget({ ...question, foo: { ...question.foo, value }, head: stock });
            return days.kind === 'days' ? days.days : Number.POSITIVE_INFINITY;
          };
          expect(daysOf(foo + more, head)).toBeGreaterThanOrEqual(daysOf(foo, head));
          expect(daysOf(foo, head + 1)).toBeLessThanOrEqual(daysOf(foo, head));
        },
      ),
    );
  });

  it('has an adult equivalent that eats as its dry sheep do', () => {
    expect(DSE_PER_AE * DSE.intake).toBeCloseTo(adultEquivalent('moderate').intake, 1);
  });
});
