import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { errorLine } from '../support/run-sward.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = temporaryFolder('trained-on');
const data = join(root, 'data');
const [run, other, photos] = [join(root, 'run'), join(root, 'other'), join(root, 'photos')];
const sward = hostSward({ SWARD_CACHE: sharedCache() });

interface Answer {
  readonly image_id: string;
  readonly trained_on?: boolean;
}

async function answers(from: string): Promise<Map<string, boolean | undefined>> {
  const out = join(root, 'answers.json');
  expect((await sward('predict', from, photos, '--out', out)).code).toBe(0);
  const found = JSON.parse(readFileSync(out, 'utf8')) as Answer[];
  return new Map(found.map(({ image_id, trained_on }) => [image_id, trained_on]));
}

beforeAll(async () => {
  const ids = await writeSmallFolder(data, { photos: 12 });
  mkdirSync(photos);
  // Under other names: the content tells.
  copyFileSync(join(data, 'train', `${ids[0]}.jpg`), join(photos, 'old-a.jpg'));
  copyFileSync(join(data, 'train', `${ids[5]}.jpg`), join(photos, 'old-b.jpg'));
  copyFileSync(join(data, 'test', 'ID1.jpg'), join(photos, `${ids[0]}.jpg`));
  const train = ['train', data, '--recipe', 'descriptor-ridge', '--folds', '3'];
  const quick = ['--set', 'evaluation.leaveOneStateOut=false', '--out'];
  expect((await sward(...train, ...quick, run)).code).toBe(0);
  expect((await sward(...train, '--set', 'estimator.clip=3', ...quick, other)).code).toBe(0);
});

describe('photos that a run was trained on', () => {
  it('are marked and warned of, whatever they are called', async () => {
    const told = await sward('predict', run, photos, '--out', join(root, 'p.csv'), '--uncertainty');
    expect(told.stderr).toContain(
      'warning: 2 of 3 photos are ones the run was trained on: its answer there is memory, not prediction',
    );
    const [head, ...lines] = readFileSync(join(root, 'p.csv'), 'utf8').trimEnd().split('\n');
    expect(head).toMatch(/,out_of_domain,trained_on$/);
    expect(lines.filter((line) => /^old-.*,1$/.test(line))).toHaveLength(10);
    expect(lines.filter((line) => /^ID1000__.*,0$/.test(line))).toHaveLength(5);
    expect(await answers(run)).toEqual(
      new Map([
        ['ID1000', false],
        ['old-a', true],
        ['old-b', true],
      ]),
    );
    expect((await sward('visit', run, photos)).stderr).toContain(
      'warning: 2 of 3 photos are ones the run was trained on: its answer there is memory, not prediction',
    );
    await sward('predict', run, photos, '--out', join(root, 'plain.csv'));
    expect(readFileSync(join(root, 'plain.csv'), 'utf8')).toMatch(/^sample_id,target\n/);
    const one = await sward('predict', run, join(photos, 'old-a.jpg'), '--out', join(root, 'one.csv'));
    expect(one.stderr).toContain(
      'warning: 1 of 1 photo is one the run was trained on: its answer there is memory',
    );
    expect(one.stdout).toMatch(/one\.csv: 1 photo$/m);
  });

  it('are those of any member of an ensemble, and unknown to a run from before', async () => {
    const manifest = join(other, 'run.json');
    const record = JSON.parse(readFileSync(manifest, 'utf8')) as { files: Record<string, string> };
    expect(record.files).toHaveProperty(['training-photos.csv']);
    delete record.files['training-photos.csv'];
    writeFileSync(manifest, JSON.stringify(record));
    rmSync(join(other, 'training-photos.csv'));
    expect(await answers(other)).toEqual(
      new Map([
        ['ID1000', undefined],
        ['old-a', undefined],
        ['old-b', undefined],
      ]),
    );
    const both = join(root, 'both');
    expect((await sward('ensemble', other, run, '--out', both, '--method', 'mean')).code).toBe(0);
    expect((await answers(both)).get('old-a')).toBe(true);
    expect((await answers(both)).get('ID1000')).toBe(false);
  });

  it('are sealed with the run', async () => {
    const path = join(run, 'training-photos.csv');
    writeFileSync(path, readFileSync(path, 'utf8').replace(/ID1000.*\n/, ''));
    const outcome = await sward('predict', run, photos, '--out', join(root, 'x.csv'));
    expect(outcome.code).toBe(1);
    expect(errorLine(outcome)).toMatch(/training-photos\.csv: is not the file that was written/);
  });
});
