import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { namedRun } from '../../../src/workflows/predict/named-run.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const root = temporaryFolder('named-run');
const path = (name: string): string => join(root, name);
mkdirSync(path('run'));
writeFileSync(path('run/run.json'), '{}');
mkdirSync(path('paddock'));
writeFileSync(path('paddock/a.jpg'), '');
mkdirSync(path('empty'));
writeFileSync(path('b.png'), '');

describe('a run among paths', () => {
  it.each([
    ['a run folder', ['run', 'b.png'], { run: 'run', photos: ['b.png'] }],
    ['a photo first', ['b.png', 'paddock'], { run: null, photos: ['b.png', 'paddock'] }],
    ['a folder of photos first', ['paddock'], { run: null, photos: ['paddock'] }],
    ['a folder without photos alone', ['empty'], { run: null, photos: ['empty'] }],
    ['nothing', [], { run: null, photos: [] }],
  ])('is found by what lies there: %s', async (_, names, { run, photos }) => {
    expect(await namedRun(names.map(path))).toEqual({ run: run && path(run), photos: photos.map(path) });
  });

  it('may be the name of one that comes with sward', async () => {
    expect(await namedRun(['starter', path('b.png')])).toEqual({ run: 'starter', photos: [path('b.png')] });
  });

  it('is asked for where a run stands among photos, or a folder holds none', async () => {
    await expect(namedRun([path('b.png'), path('run')])).rejects.toThrow(
      /run is a run; it comes first: sward predict/,
    );
    await expect(namedRun([path('run'), path('run')])).rejects.toThrow(/is a run, as .* is; name one run/);
    await expect(namedRun([path('empty'), path('b.png')])).rejects.toThrow(
      /empty: is no run folder, and no photo/,
    );
  });

  it('is missed by name, as a photo is', async () => {
    await expect(namedRun([path('RUNN'), path('b.png')])).rejects.toThrow(
      /RUNN: there is no such run, photo/,
    );
    expect(await namedRun([path('gone.jpg')])).toEqual({ run: null, photos: [path('gone.jpg')] });
    // A folder whose photos were listed before they went.
    expect(await namedRun([path('gone')], true)).toEqual({ run: null, photos: [path('gone')] });
  });
});
