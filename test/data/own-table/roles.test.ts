import { describe, expect, it } from 'vitest';
import { readColumnMapping } from '../../../src/data/own-table/mapping.ts';
import { gramsOf, massUnit, recognisedHeader } from '../../../src/data/own-table/roles.ts';

describe('headers as people write them', () => {
  it.each([
    ['Total DM (kg/ha)', 'total', 'kg/ha'],
    ['green_g', 'green', 'g'],
    ['Dry_Total_g', 'total', 'g'],
    ['dead g/m2', 'dead', 'g/m2'],
    ['Clover [g m⁻²]', 'clover', 'g/m2'],
    ['GDM', 'gdm', null],
    ['GDM_g', 'gdm', 'g'],
    ['Green dry matter (kg DM/ha)', 'gdm', 'kg/ha'],
    ['FOO kg DM/ha', 'total', 'kg/ha'],
    ['Biomass t/ha', 'total', 't/ha'],
    ['DeadDM_kgha', 'dead', 'kg/ha'],
    ['Total dry matter, kg per hectare', 'total', 'kg/ha'],
    ['Total (g dry weight)', 'total', 'g'],
    [' PHOTO ', 'photo', null],
    ['image_path', 'photo', null],
    ['File name', 'photo', null],
    ['Date sampled', 'date', null],
    ['Sampling_Date', 'date', null],
    ['Paddock', 'paddock', null],
    ['Height_Ave_cm', 'height', 'cm'],
    ['Sward height (mm)', 'height', 'mm'],
    ['Pre_GSHH_NDVI', 'ndvi', null],
  ])('takes %j for %s in %s', (header, role, unit) => {
    expect(recognisedHeader(header)).toMatchObject({ role, unit });
  });

  it.each([
    'Total wet (g)',
    'Fresh weight (g)',
    'Total (lb/acre)',
    'Clover %',
    '% dead',
    'Notes',
    'Total (kg)',
    'Bag weight',
  ])('does not take %j for a dry mass', (header) => {
    expect(recognisedHeader(header)).toBeNull();
  });

  it('knows units in any spelling, and what they are in grams on a frame', () => {
    expect(['kg DM/ha', 'kg.ha-1', 'kg/ha'].map(massUnit)).toEqual(['kg/ha', 'kg/ha', 'kg/ha']);
    expect(massUnit('lb')).toBeNull();
    expect(gramsOf(1000, 'kg/ha', 0.25)).toBeCloseTo(25, 12);
    expect(gramsOf(1, 't/ha', 0.25)).toBeCloseTo(25, 12);
    expect(gramsOf(100, 'g/m2', 0.25)).toBeCloseTo(25, 12);
  });
});

describe('what a person says of columns', () => {
  it('is a list with commas, where a header may have commas too', async () => {
    expect(await readColumnMapping('total=Total, dry (kg/ha),photo="File",dead:t/ha=D,clover=')).toEqual({
      total: { column: 'Total, dry (kg/ha)' },
      photo: { column: 'File' },
      dead: { column: 'D', unit: 't/ha' },
      clover: { column: '' },
    });
  });

  it.each([
    ['totl=A', /no role totl \(did you mean total\?\)/],
    ['total:lb=A', /lb is no unit of total; use g, g\/m2, kg\/ha, t\/ha/],
    ['total', /write role=column/],
  ])('refuses %j with what may be meant', async (text, message) => {
    await expect(readColumnMapping(text)).rejects.toThrow(message);
  });
});
