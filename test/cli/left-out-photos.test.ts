import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { errorLine } from '../support/run-sward.ts';
import { sharedCache } from '../support/shared-cache.ts';
import { writeSmallFolder } from '../support/small-data-folder.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { iphonePhoto } from '../vision/photos/iphone-photo.ts';

const root = temporaryFolder('left-out');
const at = (...names: string[]): string => join(root, ...names);
const sward = hostSward({ SWARD_CACHE: sharedCache() }, root);

beforeAll(async () => {
  await writeSmallFolder(at('data'));
  writeFileSync(at('data', 'train', 'clip.mov'), '');
  mkdirSync(at('paddock'));
  const photo = sharp({ create: { width: 64, height: 32, channels: 3, background: '#558844' } });
  writeFileSync(at('paddock', 'a.jfif'), await photo.jpeg().toBuffer());
  writeFileSync(at('paddock', 'IMG_2.jpg'), iphonePhoto());
  for (const name of ['b.mov', 'c.MOV', 'd.txt', '.hidden']) writeFileSync(at('paddock', name), '');
  mkdirSync(at('none'));
  writeFileSync(at('none', 'e.mov'), '');
  const trained = await sward(
    'train',
    'data',
    '--recipe',
    'descriptor-ridge',
    '--folds',
    '3',
    '--out',
    'run',
  );
  expect(trained.code).toBe(0);
});

const LEFT_OUT = /^paddock: left out: 2 \.mov, 1 \.txt \(not named like photos\)$/m;

describe('a folder of more than photos', () => {
  it('is predicted without the rest, which is said; photos are called by their names in it', async () => {
    const outcome = await sward('predict', 'run', 'paddock', '--out', 'p.geojson', '--json');
    expect(outcome.stderr).toMatch(LEFT_OUT);
    expect(JSON.parse(outcome.stdout).photos).toBe(2);
    const shown = await sward('predict', 'run', at('paddock'), '--json');
    const photos = JSON.parse(shown.stdout).predictions.map(({ photo }: { photo: string }) => photo);
    expect(photos).toEqual(['IMG_2.jpg', 'a.jfif']);
    expect(shown.stdout).not.toContain(root);
  });

  it('is trained on without the rest, which is said', async () => {
    const outcome = await sward(
      ...[
        'pseudo',
        'run',
        'data',
        '--unlabelled',
        'paddock',
        '--out',
        'rounds',
        '--rounds',
        '1',
        '--keep',
        '1',
      ],
    );
    expect(outcome.stderr).toMatch(LEFT_OUT);
    expect(outcome.code).toBe(0);
  });

  it('is said of by check and pretrain too', async () => {
    const checked = await sward('check', 'data');
    expect(checked.stderr).toContain('left out: 1 .mov (not named like photos)');
    expect(checked.code).toBe(0);
    mkdirSync(at('classes', 'grass'), { recursive: true });
    mkdirSync(at('classes', 'clover'));
    writeFileSync(at('classes', 'top.jpg'), '');
    writeFileSync(at('classes', 'clover', 'f.mov'), '');
    const pretrained = await sward('pretrain', 'classes', '--backbone', 'bundled', '--out', 'pretrained');
    expect(pretrained.stderr).toMatch(/^classes: left out: 1 photo \(in no sub-folder of a class\)$/m);
    expect(errorLine(pretrained)).toMatch(
      /clover: this class has no photos in its folder \(left out: 1 .mov/,
    );
  });
});

describe('a folder without a photo', () => {
  it.each([
    ['predict', ['predict', 'run', 'none', '--hectares', '2']],
    ['predict with the starter', ['predict', 'none']],
    ['pseudo', ['pseudo', 'run', 'data', '--unlabelled', 'none', '--out', 'made']],
    ['features', ['features', 'none', '--backbone', 'bundled', '--out', 'made.npy', '--ids', 'made.txt']],
  ])('is an error before any work: %s', async (_, args) => {
    const outcome = await sward(...args);
    expect(outcome.code).toBe(1);
    expect(errorLine(outcome)).toMatch(/none: there is no photo in it \(left out: 1 \.mov \(not named like/);
    expect(existsSync(at('made'))).toBe(false);
  });
});
