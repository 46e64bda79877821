import { existsSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readTraining } from '../../../src/data/folder.ts';
import { type Matrix, takeRows } from '../../../src/ground/matrix.ts';
import { randomStream } from '../../../src/ground/random.ts';
import { fitDomain, OUT_OF_DOMAIN_SHARE, outOfDomainShares } from '../../../src/runs/domain/index.ts';
import { computeDescriptors } from '../../../src/vision/descriptors/index.ts';
import { sharedCache } from '../../support/shared-cache.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const folder = join(process.env.SWARD_SHARED ?? '../shared', 'csiro');
const own = temporaryFolder('real-photos');
const PHOTOS_A_SESSION = 2;
const SESSIONS = 12;
const PARTS = 3;
const [WIDTH, HEIGHT] = [1000, 500];

/** Pictures that are no photos of a pasture as the camera saw it. */
async function foreignPictures(pasture: string): Promise<string[]> {
  const random = randomStream(1).fork('noise');
  const noise = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, () => random.integer(256));
  const words = Array.from(
    { length: 20 },
    (_, line) => `<text x="20" y="${30 + 24 * line}" font-size="20">Dry_Total_g, line ${line}</text>`,
  );
  const page = `<svg width="${WIDTH}" height="${HEIGHT}" xmlns="http://www.w3.org/2000/svg"><rect width="100%" height="100%" fill="white"/>${words.join('')}</svg>`;
  const grey = { create: { width: WIDTH, height: HEIGHT, channels: 3, background: '#808080' } } as const;
  const pictures = {
    noise: sharp(noise, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } }),
    page: sharp(Buffer.from(page)).flatten(),
    grey: sharp(grey),
    blurred: sharp(pasture).resize(WIDTH, HEIGHT).blur(15),
  };
  return Promise.all(
    Object.entries(pictures).map(async ([name, picture]) => {
      const path = join(own, `${name}.jpg`);
      await picture.jpeg({ quality: 90 }).toFile(path);
      return path;
    }),
  );
}

describe.skipIf(!existsSync(folder))('the domain of descriptors of real photos', () => {
  it('flags few photos of unseen sessions and nearly all pictures of something else', async () => {
    const all = (await readTraining(folder)).map(({ path, date, state }) => ({
      path,
      session: `${date} ${state}`,
    }));
    const names = [...new Set(all.map(({ session }) => session))].sort().slice(0, SESSIONS);
    const photos = names.flatMap((name) =>
      all.filter(({ session }) => session === name).slice(0, PHOTOS_A_SESSION),
    );
    const foreign = await foreignPictures(photos[0]?.path ?? '');
    const paths = [...photos.map(({ path }) => path), ...foreign];
    // Other files describe these photos too.
    const known = await computeDescriptors(
      photos.map(({ path }) => path),
      { cacheFolder: sharedCache() },
    );
    const strange = await computeDescriptors(foreign, { cacheFolder: join(own, 'cache') });
    const described: Matrix = {
      rows: paths.length,
      columns: known.columns,
      data: Float64Array.from([...known.data, ...strange.data]),
    };
    const rows = (wanted: (row: number) => boolean): Matrix =>
      takeRows(described, paths.map((_, row) => row).filter(wanted));
    const partOf = (row: number): number => names.indexOf(photos[row]?.session ?? '') % PARTS;
    const flags = (shares: readonly number[]): number =>
      shares.filter((share) => share > OUT_OF_DOMAIN_SHARE).length;
    let [alarms, hits] = [0, 0];
    for (let part = 0; part < PARTS; part++) {
      const isKnown = (row: number): boolean => row < photos.length && partOf(row) !== part;
      const groups = photos.map(({ session }) => session).filter((_, row) => isKnown(row));
      const domain = fitDomain(rows(isKnown), groups);
      const unseen = rows((row) => row < photos.length && partOf(row) === part);
      alarms += flags(outOfDomainShares(domain, unseen));
      hits += flags(
        outOfDomainShares(
          domain,
          rows((row) => row >= photos.length),
        ),
      );
    }
    expect(alarms / photos.length).toBeLessThan(0.15);
    // With sixteen photos to go by, a picture may be as far as the farthest of them.
    expect(hits / (PARTS * foreign.length)).toBeGreaterThan(0.9);
  });
});
