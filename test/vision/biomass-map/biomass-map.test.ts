import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError, ShapeError, UsageError } from '../../../src/ground/errors.ts';
import { grouped, viridis } from '../../../src/vision/biomass-map/drawing.ts';
import { type MassMap, renderBiomassMap, writeBiomassMap } from '../../../src/vision/biomass-map/index.ts';
import { scaleTop } from '../../../src/vision/biomass-map/mass-map.ts';
import { plain } from '../descriptors/pictures.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sward-map-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Two halves of 2 × 2 patches; all mass is green in the lower right patch of the right half. */
const map: MassMap = {
  halves: 2,
  rows: 2,
  columns: 2,
  grams: Float32Array.from({ length: 24 }, (_, i) => (i === 21 ? 21 : 0)),
};

async function pixelsOf(png: Buffer): Promise<{
  width: number;
  height: number;
  at: (x: number, y: number) => number[];
}> {
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number): number[] => {
    const from = (y * info.width + x) * info.channels;
    return [...data.subarray(from, from + 3)];
  };
  return { width: info.width, height: info.height, at };
}

describe('a biomass map', () => {
  it('is bright where the mass is and dark elsewhere, in the panel of that mass only', async () => {
    const photo = plain([100, 100, 100], 200, 100);
    const { width, at } = await pixelsOf(await renderBiomassMap(photo, 'ID1', { map }));
    expect(width).toBe(28 * 3 + 400);
    const light = (x: number, y: number): number => at(x, y).reduce((sum, value) => sum + value, 0);
    // Panels begin 64 + 44 pixels down; total left, green right of it, then dead and clover.
    for (const left of [28, 256]) {
      expect(light(left + 195, 108 + 95)).toBeGreaterThan(light(left + 5, 108 + 5) + 150);
      expect(Math.abs(light(left + 95, 108 + 95) - light(left + 5, 108 + 5))).toBeLessThan(12);
    }
    const second = 108 + 100 + 58 + 44;
    for (const left of [28, 256]) {
      expect(Math.abs(light(left + 195, second + 95) - light(left + 5, second + 5))).toBeLessThan(12);
    }
  });

  it('has its lettering on a machine without fonts: ink stands where titles are', async () => {
    const { at } = await pixelsOf(await renderBiomassMap(plain([100, 100, 100], 200, 100), 'ID1', { map }));
    let dark = 0;
    for (let y = 14; y < 36; y++) for (let x = 20; x < 90; x++) if ((at(x, y)[0] ?? 255) < 90) dark++;
    expect(dark).toBeGreaterThan(60);
  });

  it('with one scale for all, the same density has the same colour in two photos', async () => {
    const half = { ...map, grams: Float32Array.from(map.grams, (grams) => grams / 2) };
    const photo = plain([100, 100, 100], 200, 100);
    const colour = async (shown: MassMap, top?: number): Promise<number[]> => {
      const options = { map: shown, masses: ['green' as const], ...(top && { scaleTop: top }) };
      return (await pixelsOf(await renderBiomassMap(photo, 'x', options))).at(28 + 195, 108 + 95);
    };
    // 21 g on an eighth of 0.21 m² are 8,000 kg DM/ha; a scale of its own tops at 10,000 and 5,000.
    expect(await colour(map)).toEqual(await colour(half));
    expect(await colour(map, 8000)).not.toEqual(await colour(half, 8000));
  });

  it('is written with a table of its patches, which add up to the masses', async () => {
    const photoPath = join(folder, 'photo.jpg');
    await sharp({ create: { width: 300, height: 150, channels: 3, background: '#557744' } })
      .jpeg()
      .toFile(photoPath);
    const out = join(folder, 'maps', 'ID7.png');
    await writeBiomassMap({ photo: photoPath, map, out, areaSquareMetres: 0.25 });
    expect((await readdir(join(folder, 'maps'))).sort()).toEqual(['ID7.csv', 'ID7.png']);
    const { width, height } = await sharp(out).metadata();
    expect([width, height]).toEqual([28 * 3 + 1400, 64 + 2 * (44 + 350 + 58)]);
    const [head, ...rows] = (await readFile(join(folder, 'maps', 'ID7.csv'), 'utf8')).trim().split('\n');
    expect(head).toBe('half,row,column,left,top,right,bottom,total_g,gdm_g,green_g,dead_g,clover_g');
    expect(rows).toHaveLength(8);
    expect(rows[0]).toBe('0,0,0,0.00000,0.00000,0.25000,0.50000,0,0,0,0,0');
    expect(rows[7]).toBe('1,1,1,0.75000,0.50000,1.00000,1.00000,21,21,21,0,0');
  });

  it('says what is wrong with photo, map, scale and file name', async () => {
    const photoPath = join(folder, 'gone.jpg');
    await expect(writeBiomassMap({ photo: photoPath, map, out: join(folder, 'a.png') })).rejects.toThrow(
      InputError,
    );
    await expect(writeBiomassMap({ photo: photoPath, map, out: join(folder, 'a.jpg') })).rejects.toThrow(
      UsageError,
    );
    const photo = plain([1, 2, 3], 20, 10);
    for (const wrong of [
      { ...map, halves: 3 },
      { ...map, rows: 3 },
      { ...map, grams: [] },
    ]) {
      await expect(renderBiomassMap(photo, 'x', { map: wrong })).rejects.toThrow(ShapeError);
    }
    await expect(renderBiomassMap(photo, 'x', { map, scaleTop: 0 })).rejects.toThrow(RangeError);
    await expect(renderBiomassMap(photo, 'x', { map, areaSquareMetres: 0 })).rejects.toThrow(RangeError);
  });
});

describe('scales', () => {
  it('top at a round number that is not below the values, one odd value apart', () => {
    expect(scaleTop([0, 3, 999])).toBe(1000);
    expect(scaleTop([1000])).toBe(1000);
    expect(scaleTop([1001])).toBe(2000);
    expect(scaleTop([0.3])).toBe(0.5);
    expect(scaleTop([2100])).toBe(2500);
    expect(scaleTop([0, 0])).toBe(1);
    const many = Array.from({ length: 200 }, () => 90);
    expect(scaleTop([...many, 5000])).toBe(100);
    expect(scaleTop([...many.map(() => 0), 5000])).toBe(5000);
  });

  it('colours run from dark to light without turning back', () => {
    const light = Array.from({ length: 50 }, (_, i) => {
      const [r, g, b] = viridis(i / 49);
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    });
    for (let i = 1; i < light.length; i++) expect(light[i]).toBeGreaterThan(light[i - 1] ?? 0);
    expect(viridis(-1)).toEqual([68, 1, 84]);
    expect(viridis(2)).toEqual([253, 231, 37]);
  });

  it('numbers have their thousands parted', () => {
    expect(['0', '999', '1000', '1234567.25', '12.3456'].map(grouped)).toEqual([
      '0',
      '999',
      '1,000',
      '1,234,567.25',
      '12.3456',
    ]);
  });
});
