import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { randomStream } from '../../src/ground/random.ts';
import { decodePhoto, type Pixels } from '../../src/vision/photos/index.ts';
import { framedScene } from '../support/framed-scenes.ts';
import { errorLine } from '../support/run-sward.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = temporaryFolder('crop');
const photos = join(root, 'photos');
const table = join(root, 'cuts.csv');
const run = join(root, 'run');
const SIZE = { width: 640, height: 480 };
const FRAMED = 4;
const sward = hostSward({ SWARD_CACHE: join(root, 'cache') });

/** Grass as of short strokes. */
function grass(seed: number): Pixels {
  const random = randomStream(seed);
  const [width, height] = [600, 400];
  const data = new Uint8Array(width * height * 3).fill(70);
  for (let blade = 0; blade < 9000; blade++) {
    const [x, y, lean, lit] = [
      random.integer(width),
      random.integer(height),
      random.normal(),
      40 + random.integer(120),
    ];
    for (let step = 0; step < 14; step++) {
      const [column, row] = [Math.round(x + step * Math.sin(lean)), Math.round(y - step * Math.cos(lean))];
      if (column < 0 || row < 0 || column >= width || row >= height) continue;
      data.set([0.6 * lit, lit, 0.3 * lit], 3 * (row * width + column));
    }
  }
  return { width, height, data };
}

beforeAll(async () => {
  mkdirSync(photos);
  const rows = ['photo,date,site,green,dead,clover'];
  const swards = Array.from({ length: 4 }, (_, seed) => grass(seed));
  for (let item = 0; item <= FRAMED; item++) {
    const isPlain = item === FRAMED;
    const scene = framedScene(item + 1, swards, {
      ...SIZE,
      hardness: 0.1,
      hasFrame: !isPlain,
      distractors: [],
    });
    const name = isPlain ? 'plain' : `cut-${item}`;
    await sharp(scene.pixels.data, { raw: { ...SIZE, channels: 3 } })
      .jpeg({ quality: 85 })
      .toFile(join(photos, `${name}.jpg`));
    rows.push(`${name},2023-0${1 + (item % 5)}-10,North,${30 + 3 * item},${8 + item},${2 + (item % 3)}`);
  }
  writeFileSync(table, `${rows.join('\n')}\n`);
});

describe('--crop', () => {
  it('auto trains, remembers it with the run, and predicts alike without being told', async () => {
    const trained = await sward(
      'train',
      table,
      '--photos',
      photos,
      '--crop',
      'auto',
      '--out',
      run,
      '--folds',
      '3',
    );
    expect(trained.code, trained.stderr).toBe(0);
    expect(trained.stderr).toMatch(
      /no frame was found in 1 of 5 photos \(plain\.jpg\): there the whole picture counts/,
    );
    expect(JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')).recipe.crop).toBe('auto');
    const answer = async (...options: string[]) => {
      const { code, stdout, stderr } = await sward('predict', run, photos, '--json', ...options);
      expect(code, stderr).toBe(0);
      return JSON.parse(stdout).predictions as { image_id: string; framing?: string; grams: object }[];
    };
    const usual = await answer();
    expect(usual.map(({ framing }) => framing)).toEqual([...Array(FRAMED).fill('frame'), 'whole']);
    expect(await answer('--crop', 'auto')).toEqual(usual);
    const whole = await answer('--crop', 'none');
    expect(whole.every((photo) => !('framing' in photo))).toBe(true);
    expect(whole[0]?.grams).not.toEqual(usual[0]?.grams);
    expect(whole.at(-1)?.grams).toEqual(usual.at(-1)?.grams);
  });

  it('is another training than that of whole photos', async () => {
    const other = await sward('train', table, '--photos', photos, '--out', run, '--folds', '3');
    expect(other.code).not.toBe(0);
    expect(errorLine(other)).toMatch(/--overwrite/);
  });

  it('says in a CSV what was taken of each photo, and shows it', async () => {
    const [out, shown] = [join(root, 'p.csv'), join(root, 'shown')];
    const told = await sward('predict', photos, '--crop', 'auto', '--out', out, '--show-crop', shown);
    expect(told.code, told.stderr).toBe(0);
    expect(told.stderr).toMatch(/warning: no frame was found in 1 of 5 photos \(plain\)/);
    const [head = '', first = '', ...rest] = readFileSync(out, 'utf8').trim().split('\n');
    expect(head).toMatch(/,framing$/);
    expect(first).toMatch(/,frame$/);
    expect(rest.at(-1)).toMatch(/,whole$/);
    expect(readdirSync(shown)).toHaveLength(FRAMED + 1);
    const plain = await decodePhoto(join(shown, 'plain.jpg'));
    expect([plain.width, plain.height]).toEqual([SIZE.width, SIZE.height]);
    const cut = await decodePhoto(join(shown, 'cut-0.jpg'));
    expect(cut.width).toBeLessThan(SIZE.width);
  });

  it('leaves files as they were where it is not given', async () => {
    const out = join(root, 'q.csv');
    await sward('predict', join(photos, 'plain.jpg'), '--out', out);
    expect(readFileSync(out, 'utf8').split('\n')[0]).not.toMatch(/framing/);
  });

  it('takes a part that is given, and refuses one outside with the size of the photo', async () => {
    const photo = join(photos, 'cut-0.jpg');
    const given = await sward('predict', photo, '--crop', '0.2,0.2,0.5,0.5', '--json');
    expect(JSON.parse(given.stdout).predictions[0].framing).toBe('given');
    for (const command of [
      ['predict', photo],
      ['check', table, '--photos', photos],
    ]) {
      const outside = await sward(...command, '--crop', '0,0,641,10');
      expect(outside.code).toBe(2);
      expect(errorLine(outside)).toMatch(
        /which is 640×480 pixels upright; give x,y,w,h or four corners inside it/,
      );
    }
    const nonsense = await sward('predict', photo, '--crop', 'centre');
    expect(nonsense.code).toBe(2);
    expect(errorLine(nonsense)).toMatch(/--crop centre: give none, auto, x,y,w,h/);
  });

  it('is checked: photos without a frame are named', async () => {
    const checked = await sward('check', table, '--photos', photos, '--crop', 'auto', '--json');
    expect(checked.code, checked.stderr).toBe(0);
    const without = JSON.parse(checked.stdout).problems.filter(
      ({ code }: { code: string }) => code === 'no-frame',
    );
    expect(without).toMatchObject([{ severity: 'warning', where: `${table} row 6` }]);
  });

  it('is refused where there is nothing to cut or to show', async () => {
    const shown = await sward('predict', photos, '--show-crop', join(root, 'none'));
    expect(errorLine(shown)).toMatch(/--show-crop shows what --crop takes of photos/);
    expect(existsSync(join(root, 'none'))).toBe(false);
    const [features, ids] = [join(root, 'f.npy'), join(root, 'ids.txt')];
    const cut = await sward('predict', run, '--features', features, '--ids', ids, '--crop', 'auto');
    expect(errorLine(cut)).toMatch(/--crop is for photos/);
  });
});
