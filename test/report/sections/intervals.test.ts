import { JSDOM } from 'jsdom';
import { describe, expect, it } from 'vitest';
import { TARGET_NAMES } from '../../../src/pasture/targets.ts';
import { intervalsSection } from '../../../src/report/sections/intervals.ts';
import { inventedRows } from '../run-results.ts';

function rendered(rows: Parameters<typeof intervalsSection>[0]): Document | null {
  const section = intervalsSection(rows);
  return section && new JSDOM(section.body.source).window.document;
}

describe('the section on intervals', () => {
  it('draws a line a target and tells coverage and widths of each', () => {
    const page = rendered(inventedRows(120));
    expect(page?.querySelectorAll('svg [aria-label="dot"] circle, svg [aria-label="dot"] path')).toHaveLength(
      30,
    );
    const rows = [...(page?.querySelectorAll('tr[data-target]') ?? [])];
    expect(rows.map((row) => row.getAttribute('data-target'))).toEqual([...TARGET_NAMES]);
    for (const row of rows) {
      const [, photos, , width] = [...row.children].map((cell) => Number.parseFloat(cell.textContent ?? ''));
      expect(photos).toBeGreaterThan(80);
      expect(photos).toBeLessThanOrEqual(100);
      expect(width).toBeGreaterThan(0);
    }
  });

  it('is left out with fewer than three sessions', () => {
    const oneSession = inventedRows(40).map((row) => ({ ...row, session: '2015-09-04 Tas' }));
    expect(rendered(oneSession)).toBeNull();
    expect(rendered([])).toBeNull();
  });

  it('leaves out what is not a number', () => {
    const rows = inventedRows(60);
    const nothing = { green: Number.NaN, dead: 0, clover: 0, gdm: Number.NaN, total: Number.NaN };
    const broken = rows.map((row, index) => (index === 3 ? { ...row, predicted: nothing } : row));
    expect(intervalsSection(broken)?.body.source).not.toMatch(/NaN/);
  });
});
