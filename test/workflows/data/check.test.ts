import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { configure } from '../../../src/ground/environment.ts';
import { checkFolder } from '../../../src/workflows/data/check.ts';
import { writePhoto } from '../../support/small-data-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const root = temporaryFolder('check');
const photos = join(root, 'photos');

beforeAll(async () => {
  configure({ cacheFolder: join(root, 'cache') });
  mkdirSync(photos);
  for (let photo = 0; photo < 4; photo++) await writePhoto(join(photos, `IMG_${photo}.jpg`), 20, photo);
});

/** What check finds in a table with these dates, one a photo. */
async function problemsOf(dates: readonly string[]) {
  const table = join(root, 'cuts.csv');
  const rows = dates.map((date, photo) => `IMG_${photo},${date},${20 + photo}`);
  writeFileSync(table, `photo,date,total_g\n${rows.join('\n')}\n`);
  const { problems } = await checkFolder({ kind: 'table', table, photos });
  return problems.filter(({ severity }) => severity === 'error');
}

describe('check of a table that training would refuse', () => {
  it.each([
    [['', '', '', ''], /IMG_0 has no sampling date/],
    [['2015-09-04', '2015-09-05', '', '2015-09-06'], /IMG_2 has no sampling date/],
    [['2015-09-04', '2015-09-04', '2015-09-04', '2015-09-04'], /all 4 photos are of one visit/],
    [['2015-09-04', '2015-10-04'], /2 photos with measured masses: at least 3/],
  ])('says so of dates %j', async (dates, what) => {
    expect(await problemsOf(dates)).toMatchObject([
      { code: 'no-folds', what: expect.stringMatching(what), remedy: expect.stringMatching(/add/) },
    ]);
  });

  it('says so of one in which nothing was measured', async () => {
    const table = join(root, 'unmeasured.csv');
    writeFileSync(table, 'photo,date,total_g\nIMG_0,2015-09-04,\nIMG_1,2015-10-04,\n');
    const { problems } = await checkFolder({ kind: 'table', table, photos });
    expect(problems.filter(({ severity }) => severity === 'error')).toMatchObject([
      { code: 'no-folds', what: expect.stringMatching(/^0 photos with measured masses: at least 3/) },
    ]);
  });

  it('counts no visits of dates that cannot be read', async () => {
    const table = join(root, 'unread.csv');
    writeFileSync(table, 'photo,date,state,total_g\nIMG_0,Jan 2015,NSW,20\nIMG_1,Jan 2015,Vic,20\n');
    const { visits, problems } = await checkFolder({ kind: 'table', table, photos });
    expect(visits).toBeNull();
    expect(problems.filter(({ code }) => code === 'bad-date')).toHaveLength(2);
  });

  it('says nothing where there are visits', async () => {
    expect(await problemsOf(['2015-09-04', '2015-09-04', '2015-10-04', '2015-10-05'])).toEqual([]);
  });
});
