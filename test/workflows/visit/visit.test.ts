import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { configure } from '../../../src/ground/environment.ts';
import { trainRun } from '../../../src/workflows/train/train.ts';
import { type VisitOptions, type VisitOutcome, visitRun } from '../../../src/workflows/visit/visit.ts';
import { writePhoto, writeSmallFolder } from '../../support/small-data-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const root = temporaryFolder('visit');
const run = join(root, 'run');
const PHOTOS = Array.from({ length: 6 }, (_, at) => join(root, `gate-${at}.jpg`));

beforeAll(async () => {
  configure({ cacheFolder: join(root, 'cache') });
  const data = join(root, 'data');
  await writeSmallFolder(data, {
    photos: 48,
    // Half of what grows the photo shows; the rest is told by the height.
    alter: ([head = '', ...lines]) => [
      head,
      ...lines.map((line, row) => {
        const cm = 4 + ((7 * Math.floor(row / 5)) % 25);
        const mass = Number(line.split(',').at(-1));
        const isGreen = /Dry_Green_g,[^,]*$|GDM_g,[^,]*$|Dry_Total_g,[^,]*$/.test(line);
        const more = isGreen ? mass + 2 * cm : mass;
        return line.replace('0.6,5', `0.6,${cm}`).replace(/,[^,]*$/, `,${more}`);
      }),
    ],
  });
  for (const [at, path] of PHOTOS.entries()) await writePhoto(path, 20 + 5 * at, 500 + at);
  await trainRun({
    source: data,
    recipe: 'descriptor-ridge',
    settings: { covariates: ['height'], evaluation: { leaveOneStateOut: false } },
    out: run,
  });
});

const visit = (options: Partial<VisitOptions> = {}): Promise<VisitOutcome> =>
  visitRun({ run, photos: PHOTOS, ...options });

const widthOf = ({ means: { total } }: VisitOutcome): number =>
  (total?.interval?.high ?? 0) - (total?.interval?.low ?? 0);

function cuts(name: string, ...lines: string[]): string {
  const path = join(root, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

describe('a visit', () => {
  it('has a mean from photos, which heights make surer, and says beforehand that they would', async () => {
    const alone = await visit();
    const tall = await visit({ covariates: { values: { height: 12 } } });
    expect(alone.covariates).toEqual([]);
    expect(tall.covariates).toEqual(['height']);
    expect(widthOf(tall)).toBeLessThan(0.8 * widthOf(alone));
    expect(alone.worth.map(({ work }) => work).sort()).toEqual([
      'heights',
      'one-more-cut',
      'ten-more-photos',
    ]);
    expect(alone.worth[0]?.work).toBe('heights');
    expect(tall.worth.map(({ work }) => work)).not.toContain('heights');
    for (const { before, after } of alone.worth) expect(after).toBeLessThan(before);
  });

  it('reads thousands between tabs as such, and says so', async () => {
    const lines: string[] = [];
    const rows = [1350, 980, 2410].map((mass, at) => [PHOTOS[at], mass] as const);
    const tableOf = (name: string, text: (mass: number) => string): string =>
      cuts(name, 'photo\ttotal (kg/ha)', ...rows.map(([photo, mass]) => `${photo}\t${text(mass)}`));
    const plain = await visit({ cuts: tableOf('plain.tsv', String) });
    const read = await visit({
      cuts: tableOf('thousands.tsv', (mass) => mass.toLocaleString('en')),
      progress: { stage: () => {}, advance: () => {}, done: () => {}, line: (line) => lines.push(line) },
    });
    expect(read.means.total?.mean).toBe(plain.means.total?.mean);
    expect(lines).toContainEqual(
      expect.stringMatching(/^warning: thousands\.tsv row 2: "1,350" is read as 1350/),
    );
  });

  it('moves towards what was cut, in whatever unit and on whatever frame', async () => {
    const before = (await visit()).means.total;
    const table = cuts('grams.csv', 'photo,Total (g)', 'gate-0.jpg,150', 'gate-3.jpg,160');
    const moved = await visit({ cuts: table });
    expect(moved.cuts).toBe(2);
    expect(moved.means.total).toMatchObject({ method: 'photos-and-cuts', cuts: 2, frames: 6 });
    expect(moved.means.total?.mean).toBeGreaterThan((before?.mean ?? 0) * 1.3);
    // 300 g on 0.42 m² are 150 g on 0.21 m².
    const large = cuts('large.csv', 'photo,Total (g)', 'gate-0.jpg,300', 'gate-3.jpg,320');
    const twice = await visit({ cuts: large, reading: { areaSquareMetres: 0.42 } });
    expect(twice.means.total?.mean).toBeCloseTo(moved.means.total?.mean ?? 0, 6);
    const hectares = cuts(
      'hectares.csv',
      'photo,Total (kg/ha)',
      'gate-0,7142.857142857',
      'gate-3,7619.047619048',
    );
    expect((await visit({ cuts: hectares })).means.total?.mean).toBeCloseTo(moved.means.total?.mean ?? 0, 4);
  });

  it('refuses cuts of photos that are not of it, and shares that are none', async () => {
    const others = cuts('others.csv', 'photo,Total (g)', 'gate-5.jpg,150');
    await expect(visit({ cuts: others, photos: PHOTOS.slice(0, 3) })).rejects.toThrow(
      /no photo of the visit/,
    );
    await expect(visit({ precision: 10 })).rejects.toThrow(/precision 10: give a share between 0 and 1/);
  });
});
