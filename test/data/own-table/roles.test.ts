import { describe, expect, it } from 'vitest';
import { readColumnMapping } from '../../../src/data/own-table/mapping.ts';
import {
  freshHeader,
  goesWithFresh,
  gramsOf,
  massUnit,
  recognisedHeader,
  unclearHeader,
} from '../../../src/data/own-table/roles.ts';

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

  it.each([
    ['Bild', 'photo', null],
    ['Datum', 'date', null],
    ['Bundesland', 'state', null],
    ['Höhe (cm)', 'height', 'cm'],
    ['Grün TM (g)', 'green', 'g'],
    ['Abgestorbenes (kg TM/ha)', 'dead', 'kg/ha'],
    ['Klee', 'clover', null],
    ['Trockenmasse gesamt (g)', 'total', 'g'],
    ['Fichier', 'photo', null],
    ['Date de prélèvement', 'date', null],
    ['Vert (kg MS/ha)', 'green', 'kg/ha'],
    ['Matière morte (g)', 'dead', 'g'],
    ['Trèfle', 'clover', null],
    ['Matière sèche totale (t MS/ha)', 'total', 't/ha'],
    ['Hauteur', 'height', null],
    ['Fecha de muestreo', 'date', null],
    ['Potrero', 'paddock', null],
    ['Gramíneas (g)', 'green', 'g'],
    ['Material muerto (g)', 'dead', 'g'],
    ['Trébol', 'clover', null],
    ['Materia seca total (kg MS/ha)', 'total', 'kg/ha'],
    ['Data da coleta', 'date', null],
    ['Fazenda', 'site', null],
    ['Espécie', 'species', null],
    ['Material morto (g)', 'dead', 'g'],
    ['Trevo', 'clover', null],
  ])('takes %j of another language for %s in %s', (header, role, unit) => {
    expect(recognisedHeader(header)).toMatchObject({ role, unit });
  });

  it.each([
    ['green (g/0.25 m2)', 'green', /says green .*\(g\/0\.25 m2\)/],
    ['Total (lb/acre)', 'total', /says total/],
    ['dead_mg', 'dead', /says dead .*\(mg\)/],
    ['height (inches)', 'height', /says height/],
    ['Tot (g)', 'total', /may be the total, or what is dead/],
    ['gren (kg/ha)', 'green', /near "green"/],
    ['Dry clovr (g)', 'clover', /near "clover"/],
    ['dry totla', 'total', /near "total"/],
  ])('knows that %j may be the %s, in an unknown unit', (header, role, what) => {
    expect(recognisedHeader(header)).toBeNull();
    expect(unclearHeader(header)).toMatchObject({ role, what: expect.stringMatching(what) });
  });

  it.each([
    ['green fresh weight (g)', 'green'],
    ['dead FW', 'dead'],
    ['Total wet (kg/ha)', 'total'],
  ])('says that %j is of fresh %s', (header, role) => {
    expect(freshHeader(header)).toMatchObject({ role, what: expect.stringMatching(/of fresh plants/) });
    expect(freshHeader(header.replace(/fresh|wet|FW/, 'dry'))).toBeNull();
  });

  it.each(['Clover %', 'clover (%)', 'Green fresh (g)', 'green (wet)', 'Notes', 'dead FW', 'Bag (g)'])(
    'does not miss %j',
    (header) => {
      expect(unclearHeader(header)).toBeNull();
    },
  );

  it.each(['Dry matter %', 'DM (%)', 'DM%', '% DM', 'Moisture (%)', 'bag (g)', 'Bag weight', 'tare', 'TM %'])(
    'knows that %j stands beside weights of fresh plants',
    (header) => {
      expect(goesWithFresh(header)).toBe(true);
    },
  );

  it.each(['Total DM (kg/ha)', 'Bag', 'Bag no', 'Clover %', 'Dry_Total_g', 'Water point'])(
    'does not know that of %j',
    (header) => {
      expect(goesWithFresh(header)).toBe(false);
    },
  );

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
