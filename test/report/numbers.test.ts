import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meanAndDeviation, quantileSorted } from '../../src/ground/statistics.ts';
import { escapeHtml, html } from '../../src/report/markup.ts';
import { formatNumber, formatSigned } from '../../src/report/numbers.ts';

describe('numbers for people', () => {
  it('have a true minus, thousands apart, and no minus on what rounds to nothing', () => {
    expect(formatNumber(-1234567.891, 1)).toBe('−1,234,567.9');
    expect(formatNumber(999.96, 1)).toBe('1,000.0');
    expect(formatNumber(-0.0004, 3)).toBe('0.000');
    expect(formatSigned(0.04, 1)).toBe('0.0');
    expect(formatSigned(2, 1)).toBe('+2.0');
  });

  it('are a dash when they are none', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(formatNumber(value, 2)).toBe('–');
      expect(formatSigned(value, 2)).toBe('–');
    }
  });

  it('spread by the sample standard deviation, leaving out what is not a number', () => {
    const { mean, deviation, count } = meanAndDeviation([2, 4, 4, 4, 5, 5, 7, 9, Number.NaN]);
    expect([mean, count]).toEqual([5, 8]);
    expect(deviation).toBeCloseTo(Math.sqrt(32 / 7), 12);
    expect(meanAndDeviation([3]).deviation).toBeNaN();
    expect(meanAndDeviation([]).mean).toBeNaN();
  });

  it('have quantiles between order statistics', () => {
    expect(quantileSorted([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantileSorted([1, 2, 3, 4], 0.25)).toBe(1.75);
    expect(quantileSorted([7], 0.25)).toBe(7);
    expect(quantileSorted([], 0.5)).toBeNaN();
  });
});

describe('markup', () => {
  it('escapes text so that reading it back gives the same text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const escaped = escapeHtml(text);
        expect(escaped).not.toMatch(/[<>"']/);
        const back = escaped
          .replaceAll('&lt;', '<')
          .replaceAll('&gt;', '>')
          .replaceAll('&quot;', '"')
          .replaceAll('&#39;', "'")
          .replaceAll('&amp;', '&');
        expect(back).toBe(text);
      }),
    );
  });

  it('keeps markup inside markup and escapes everything else', () => {
    const inner = html`<b>${'a<b'}</b>`;
    expect(html`<p>${inner}${[inner, inner]}${null}${3}</p>`.source).toBe(
      '<p><b>a&lt;b</b><b>a&lt;b</b><b>a&lt;b</b>3</p>',
    );
  });
});
