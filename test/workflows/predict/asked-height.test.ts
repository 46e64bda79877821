import { describe, expect, it } from 'vitest';
import { askedHeight } from '../../../src/workflows/predict/asked-readings.ts';

describe('a height as a person writes it', () => {
  it.each([
    ['12', 12],
    ['12,5', 12.5],
    ['120mm', 12],
    ['0.4 m', 40],
    ['0', 0],
  ])('%s: %f cm', (text, value) => {
    expect(askedHeight(text)).toEqual({ value });
  });

  it('in clicks is that of a rising plate', () => {
    expect(askedHeight('24clicks')).toEqual({ value: 12, method: 'rising-plate' });
  });

  it.each(['12,500', '1200'])('%s is none that a sward has', (text) => {
    expect(() => askedHeight(text)).toThrow(`height ${text}: no sward is `);
  });

  it.each(['tall', '-3', '12 in'])('%s is none', (text) => {
    expect(() => askedHeight(text)).toThrow(`height ${text}: give centimetres, as 12`);
  });
});
