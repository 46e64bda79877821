import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeHtml, html } from '../../../src/report/page/markup.ts';
import { formatNumber, formatSigned } from '../../../src/report/page/numbers.ts';

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
