import { existsSync, readdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DiskList } from '../../src/cluster/jobs/disk-list.ts';
import { configure, environment } from '../../src/ground/environment.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const cache = temporaryFolder('disk-list');
let before = '';
beforeEach(() => {
  before = environment().cacheFolder;
  configure({ cacheFolder: cache });
});
afterEach(() => configure({ cacheFolder: before }));

const item = (place: number) => ({ imageId: `Wiese ä ${place}`, text: 'x'.repeat(place % 300) });

it('a list on the disk gives any of its items, and all in order', async () => {
  await using list = await DiskList.open<ReturnType<typeof item>>();
  for (let place = 0; place < 2_100; place++) await list.add(item(place));
  expect(list.count).toBe(2_100);
  for (const [start, end] of [
    [0, 16],
    [5, 7],
    [256, 512],
    [2_096, 2_112],
    [2_099, 2_100],
    [3_000, 3_016],
  ] as const) {
    const wanted = Array.from({ length: Math.max(0, Math.min(end, 2_100) - start) }, (_, at) =>
      item(start + at),
    );
    expect(await list.read(start, end), `${start} to ${end}`).toEqual(wanted);
  }
  await list.add(item(2_100));
  expect(await list.read(2_096, 2_112)).toHaveLength(5);
  const all = [];
  for await (const one of list) all.push(one);
  expect(all).toEqual(Array.from({ length: 2_101 }, (_, place) => item(place)));
});

it('a list that is closed, or whose items cannot be had, leaves nothing on the disk', async () => {
  const list = await DiskList.open<number>();
  await list.add(1);
  expect(await list.read(0, 1)).toEqual([1]);
  await list.close();
  const failing = (async function* () {
    yield 1;
    throw new Error('no more');
  })();
  await expect(DiskList.write(failing)).rejects.toThrow('no more');
  expect(existsSync(cache) ? readdirSync(cache) : []).toEqual([]);
});
