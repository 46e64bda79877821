import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { configure } from '../../../src/ground/environment.ts';
import { trainRun } from '../../../src/workflows/train/train.ts';
import { type VisitOptions, type VisitOutcome, visitRun } from '../../../src/workflows/visit/visit.ts';
import { sharedCache } from '../../support/shared-cache.ts';
import { writePhoto, writeSmallFolder } from '../../support/small-data-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const root = temporaryFolder('visit');
const run = join(root, 'run');
const PHOTOS = Array.from({ length: 6 }, (_, at) => join(root, `gate-${at}.jpg`));

beforeAll(async () => {
  configure({ cacheFolder: sharedCache() });
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

  it('claims no more than the run’s visits can vouch for, and says so', async () => {
    const { means, notes } = await visit({ coverage: 0.99 });
    const { coverage = 1 } = means.total?.interval ?? {};
    const sessions = coverage / (1 - coverage);
    expect(sessions).toBeCloseTo(Math.round(sessions), 6);
    expect(notes).toEqual([
      `How the run errs is known from ${Math.round(sessions)} sessions alone: they vouch for ` +
        `${Math.floor(100 * coverage)} % of such visits at most, not for 99 %.`,
    ]);
  });

  it('takes from the cut of a photo that the run was trained on nothing of how it errs on others', async () => {
    const own = join(root, 'data', 'train', 'ID1000.jpg');
    const table = cuts('own.csv', 'photo,Total (g)', `${basename(own)},600`);
    const { means, doubts } = await visit({ photos: [own, ...PHOTOS], cuts: table });
    const before = (await visit()).means.total?.mean ?? 0;
    expect(means.total).toMatchObject({ cuts: 1, paired: 0, frames: 7 });
    expect(means.total?.mean).toBeCloseTo((6 * before + 600 / 0.021) / 7, 6);
    expect(doubts[0]).toMatch(/^1 of 7 photos is one the run was trained on/);
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

  it('finds what was cut by whatever paths its photos are given, names composed or not', async () => {
    const table = cuts('grams.csv', 'photo,Total (g)', 'gate-0.jpg,150', 'gate-3.jpg,160');
    const expected = (await visit({ cuts: table })).means.total?.mean;
    const paddock = join(root, 'paddock');
    const rest = join(root, 'rest');
    const linked = join(root, 'linked');
    for (const folder of [paddock, rest, linked]) mkdirSync(folder);
    for (const [at, path] of PHOTOS.entries()) {
      copyFileSync(path, join(at < 3 ? paddock : rest, `gate-${at}.jpg`));
      symlinkSync(path, join(linked, `gate-${at}.jpg`));
    }
    const link = join(root, 'link');
    symlinkSync(linked, link);
    const near = (path: string): string => relative(process.cwd(), path);
    const ways = [
      PHOTOS.map(near),
      PHOTOS.map((path) => `./${near(path)}`),
      PHOTOS.map((path) => `${join(path, '..')}/../${basename(root)}/${basename(path)}`),
      [`${near(paddock)}/`, `${near(rest)}/`],
      [near(linked)],
      [link],
    ];
    for (const photos of ways) {
      const { means, cuts: found } = await visit({ photos, cuts: near(table) });
      expect([photos[0], found, means.total?.mean]).toEqual([photos[0], 2, expected]);
    }
    const composed = join(root, 'composed');
    const apart = join(root, 'apart');
    for (const [folder, form] of [
      [composed, 'NFC'],
      [apart, 'NFD'],
    ] as const) {
      mkdirSync(folder);
      copyFileSync(PHOTOS[0] ?? '', join(folder, `Übung-é.jpg`.normalize(form)));
      copyFileSync(PHOTOS[1] ?? '', join(folder, 'other.jpg'));
      for (const written of ['NFC', 'NFD'] as const) {
        const named = cuts('accents.csv', 'photo,Total (g)', `${'Übung-é.jpg'.normalize(written)},150`);
        expect((await visit({ photos: [near(folder)], cuts: named })).cuts).toBe(1);
      }
    }
  });

  it('counts a photo once that is there twice, and its cut', async () => {
    const twice = join(root, 'twice');
    mkdirSync(twice);
    for (const path of PHOTOS) copyFileSync(path, join(twice, basename(path)));
    copyFileSync(PHOTOS[0] ?? '', join(twice, 'gate-0 (1).jpg'));
    copyFileSync(PHOTOS[0] ?? '', join(twice, 'gate-0 (2).jpg'));
    const lines: string[] = [];
    const progress = { stage() {}, advance() {}, done() {}, line: (text: string) => void lines.push(text) };
    const once = await visit();
    const copied = await visit({ photos: [twice], progress });
    expect([copied.photos, copied.means.total?.frames]).toEqual([6, 6]);
    expect(copied.means.total?.mean).toBeCloseTo(once.means.total?.mean ?? 0, 9);
    expect(copied.means.total?.interval?.high).toBeCloseTo(once.means.total?.interval?.high ?? 0, 9);
    expect(lines.filter((line) => line.includes('copies'))).toEqual([
      'warning: 2 photos are copies of others, gate-0 (2) of gate-0 (1) for one; each photo counts once in the mean',
    ]);
    const named = cuts('copy.csv', 'photo,Total (g)', 'gate-0 (2).jpg,150', 'gate-3.jpg,160');
    const plain = cuts('plain.csv', 'photo,Total (g)', 'gate-0.jpg,150', 'gate-3.jpg,160');
    const moved = (await visit({ photos: [twice], cuts: named })).means.total;
    expect(moved?.cuts).toBe(2);
    expect(moved?.mean).toBeCloseTo((await visit({ cuts: plain })).means.total?.mean ?? 0, 9);
    const torn = cuts('torn.csv', 'photo,Total (g)', 'gate-0.jpg,150', 'gate-0 (2).jpg,90');
    await expect(visit({ photos: [twice], cuts: torn })).rejects.toThrow(
      /torn\.csv: gives gate-0 \(2\) other masses than its copy, the same photo/,
    );
  });

  it('makes parts sum to a total that alone was cut, and says so', async () => {
    const before = (await visit()).notes;
    expect(before).toEqual([expect.stringMatching(/sessions alone: they vouch for/)]);
    const total = cuts('totals.csv', 'photo,Total (g)', 'gate-0.jpg,150', 'gate-3.jpg,160');
    const { notes, means } = await visit({ cuts: total });
    const [green, dead, clover, gdm, whole] = (['green', 'dead', 'clover', 'gdm', 'total'] as const).map(
      (mass) => means[mass]?.mean ?? Number.NaN,
    ) as [number, number, number, number, number];
    expect(green + dead + clover).toBeCloseTo(whole, 6);
    expect(green + clover).toBeCloseTo(gdm, 6);
    expect(notes).toEqual([
      ...before,
      expect.stringMatching(
        /^the parts are made to sum to the whole \(green \d+ instead of \d+.* kg DM\/ha\): of 2 cuts of the total none says its parts$/,
      ),
    ]);
  });

  it('says where cuts lie far from all estimates, as fresh weights do', async () => {
    const [dry, fresh] = [60, 600].map((grams) =>
      cuts(`${grams}.csv`, 'photo,Total (g)', `gate-0.jpg,${grams}`),
    );
    const told = async (table = ''): Promise<string | undefined> =>
      (await visit({ cuts: table })).notes.find((note) => note.startsWith('cuts are'));
    expect(await told(dry)).toBeUndefined();
    expect(await told(fresh)).toMatch(
      /times what photos say \(28571 and \d+ kg DM\/ha, mean of 1 frame\): were they/,
    );
  });

  it('refuses cuts of photos that are not of it, and shares that are none', async () => {
    const others = cuts('others.csv', 'photo,Total (g)', 'gate-5.jpg,150');
    await expect(visit({ cuts: others, photos: PHOTOS.slice(0, 3) })).rejects.toThrow(
      /no photo of the visit/,
    );
    await expect(visit({ precision: 10 })).rejects.toThrow(/precision 10: give a share between 0 and 1/);
  });
});
