import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { joinFeatureSets, type Matrix, takeRows } from '../../../src/ground/matrix.ts';
import { randomStream } from '../../../src/ground/random.ts';
import { fitDomain, outOfDomainShares, readDomain, writeDomain } from '../../../src/runs/domain/index.ts';
import { sketch } from '../../../src/runs/domain/sketch.ts';
import { DESCRIPTOR_VERSION } from '../../../src/vision/descriptors/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const folder = temporaryFolder('domain');
const PHOTOS = 8;

/** Photos of sessions that differ in all columns, each photo a little from its session. */
function sessionsOf(count: number, columns: number, seed: number, offset = 0): Matrix {
  const random = randomStream(seed).fork('inputs');
  const rows = Array.from({ length: count }, () => {
    const session = Array.from({ length: columns }, () => offset + random.normal());
    return Array.from({ length: PHOTOS }, () => session.map((value) => value + 0.7 * random.normal()));
  }).flat();
  return { rows: rows.length, columns, data: Float64Array.from(rows.flat()) };
}

const groupsOf = (count: number): string[] =>
  Array.from({ length: count * PHOTOS }, (_, photo) => `session ${Math.floor(photo / PHOTOS)}`);

const flagged = (shares: readonly number[]): number =>
  shares.filter((share) => share > 0.95).length / shares.length;

describe('the domain of a run', () => {
  const inputs = sessionsOf(24, 20, 1);
  const domain = fitDomain(inputs, groupsOf(24));

  it('takes photos of new sessions of the same kind for what they are', () => {
    const shares = outOfDomainShares(domain, sessionsOf(24, 20, 2));
    expect(flagged(shares)).toBeLessThan(0.2);
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    expect(mean).toBeGreaterThan(0.35);
    expect(mean).toBeLessThan(0.65);
  });

  it('flags photos of another kind', () => {
    expect(flagged(outOfDomainShares(domain, sessionsOf(4, 20, 3, 5)))).toBe(1);
  });

  it('counts training photos as well inside', () => {
    expect(flagged(outOfDomainShares(domain, inputs))).toBe(0);
  });

  it('does not let one odd column decide', () => {
    const wide = sessionsOf(12, 300, 1);
    const many = fitDomain(wide, groupsOf(12));
    const photo = takeRows(wide, [0]);
    const odd = { ...photo, data: photo.data.map((value, column) => (column === 3 ? 1e6 : value)) };
    const all = { ...photo, data: photo.data.map(() => 1e6) };
    expect(outOfDomainShares(many, odd)[0]).toBeLessThan(0.5);
    expect(outOfDomainShares(many, all)).toEqual([1]);
  });

  it('leaves photos out one by one where there is one session', () => {
    const one = fitDomain(takeRows(inputs, [0, 1, 2, 3, 4, 5]), new Array<string>(6).fill('only'));
    expect(one.reference).toHaveLength(6);
    expect(outOfDomainShares(one, sessionsOf(1, 20, 4, 9))[0]).toBe(1);
  });

  it('is read back as it was written, to single precision', async () => {
    await writeDomain(folder, domain);
    const again = await readDomain(folder);
    expect(again?.reference).toEqual(domain.reference);
    expect(again?.support.data[5]).toBeCloseTo(domain.support.data[5] ?? 0, 6);
    const photos = sessionsOf(2, 20, 5);
    const shares = outOfDomainShares(domain, photos);
    expect(again && outOfDomainShares(again, photos)).toEqual(shares);
    expect(await readDomain(`${folder}/none`)).toBeNull();
  });

  it('is read as one of descriptors where it was written so, unless they are computed otherwise now', async () => {
    expect((await readDomain(folder))?.of).toBe('inputs');
    await writeDomain(folder, domain, 'descriptors');
    expect(await readDomain(folder)).toMatchObject({ of: 'descriptors', mean: domain.mean });
    const path = join(folder, 'domain.safetensors');
    const bytes = readFileSync(path, 'latin1');
    const withVersion = (version: number): void =>
      writeFileSync(
        path,
        bytes.replace(`"version":"${DESCRIPTOR_VERSION}"`, `"version":"${version}"`),
        'latin1',
      );
    withVersion(1);
    expect(await readDomain(folder)).toMatchObject({ of: 'descriptors', mean: domain.mean });
    withVersion(0);
    expect(await readDomain(folder)).toBeNull();
  });

  it('lets several feature sets count alike, whatever their width, and keeps that', async () => {
    const joined = (narrow: Matrix, wide: Matrix): Matrix =>
      joinFeatureSets([
        { name: 'narrow', matrix: narrow },
        { name: 'wide', matrix: wide },
      ]);
    const several = fitDomain(joined(inputs, sessionsOf(24, 300, 6)), groupsOf(24));
    const odd = joined(sessionsOf(4, 20, 3, 2), sessionsOf(4, 300, 7));
    expect(flagged(outOfDomainShares(several, odd))).toBe(1);
    const { sets: _, ...plain } = joined(inputs, sessionsOf(24, 300, 6));
    expect(flagged(outOfDomainShares(fitDomain(plain, groupsOf(24)), odd))).toBeLessThan(1);
    const own = join(folder, 'several');
    await writeDomain(own, several);
    expect((await readDomain(own))?.weights).toEqual(several.weights);
  });

  it('refuses inputs of another width', () => {
    expect(() => outOfDomainShares(domain, sessionsOf(1, 19, 1))).toThrow(/19/);
  });
});

describe('a sketch', () => {
  it('keeps distances to a few percent and stores little', () => {
    const wide = sessionsOf(2, 4000, 1);
    const narrow = sketch(wide, 512);
    expect(narrow.columns).toBe(512);
    const squares = ({ data, columns }: Matrix, a: number, b: number): number =>
      Array.from({ length: columns }, (_, column) => {
        return ((data[a * columns + column] ?? 0) - (data[b * columns + column] ?? 0)) ** 2;
      }).reduce((sum, square) => sum + square, 0);
    for (const [a, b] of [
      [0, 1],
      [0, 9],
      [3, 14],
    ] as const) {
      expect(Math.abs(squares(narrow, a, b) / squares(wide, a, b) - 1)).toBeLessThan(0.2);
    }
    expect(fitDomain(wide, groupsOf(2)).support.columns).toBe(512);
  });
});
