import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../../src/ground/errors.ts';
import { randomStream } from '../../../src/ground/random.ts';
import { compile, input, openSafetensors, Scope, type TensorData } from '../../../src/tensor/index.ts';
import { makeBackbone } from '../../../src/vision/backbones/index.ts';
import {
  blockNumbers,
  extractFeatures,
  featureLayout,
  featurePlan,
} from '../../../src/vision/features/index.ts';
import { combineViews } from '../../../src/vision/features/plan.ts';
import prepareViews, { type ViewRecipe } from '../../../src/vision/features/prepare-worker.ts';
import { decodePhoto } from '../../../src/vision/photos/index.ts';
import type { ResolvedWeights } from '../../../src/vision/weights/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { noisyWeights, writeWeights } from '../backbones/tiny.ts';

const root = temporaryFolder('features');
const config = { dim: 24, depth: 3, heads: 3, imgSize: [42, 42] };
const backbone = makeBackbone('dinov2', config);
const photos = Array.from({ length: 5 }, (_, index) => join(root, `photo-${index}.png`));
let weights: ResolvedWeights;

beforeAll(async () => {
  const path = join(root, 'model.safetensors');
  await writeWeights(path, noisyWeights(backbone));
  weights = {
    path,
    arch: 'dinov2',
    config,
    preprocessing: {
      inputSize: [42, 42],
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
      interpolation: 'bicubic',
      cropFraction: 1,
      cropMode: 'center',
    },
    source: 'file model.safetensors',
    sha256: 'a'.repeat(64),
  };
  for (const [index, photo] of photos.entries()) {
    const random = randomStream(index);
    const pixels = Buffer.from(Uint8Array.from({ length: 120 * 60 * 3 }, () => random.integer(256)));
    await sharp(pixels, { raw: { width: 120, height: 60, channels: 3 } })
      .png()
      .toFile(photo);
  }
});

const cache = (name: string): string => join(root, name);

function valuesOf(result: Record<string, TensorData>, name: string): Float32Array {
  const values = result[name]?.values;
  if (values instanceof Float32Array) return values;
  throw new Error(`no ${name} in the result`);
}

/** The vectors of one photo's views, made one by one without any of the pipeline. */
async function viewsByHand(
  photo: string,
  recipe: ViewRecipe,
  blocks: readonly number[],
): Promise<Float64Array[]> {
  const prepared = prepareViews({ pixels: await decodePhoto(photo), recipe });
  const pixels = 3 * recipe.size * recipe.size;
  const scope = Scope.root({ random: randomStream(0), trainable: () => false }).from(
    await openSafetensors(weights.path),
  );
  const images = input('images', [1, 3, recipe.size, recipe.size]);
  const output = backbone.forward(scope, images);
  const outputs = Object.fromEntries(
    blocks.flatMap((block) => {
      const map = output.blocks[block];
      return map?.prefix
        ? [
            [`cls${block}`, map.prefix],
            [`patches${block}`, map.patches],
          ]
        : [];
    }),
  );
  const program = await compile({ outputs });
  const vectors: Float64Array[] = [];
  for (let at = 0; at < prepared.length; at += pixels) {
    const result = await program.run({ images: prepared.subarray(at, at + pixels) });
    vectors.push(
      Float64Array.from(
        blocks.flatMap((block) => {
          const cls = Array.from(valuesOf(result, `cls${block}`).slice(0, 24));
          const patches = valuesOf(result, `patches${block}`);
          const count = patches.length / 24;
          const mean = Array.from({ length: 24 }, (_, d) => {
            let sum = 0;
            for (let row = 0; row < count; row++) sum += (patches[row * 24 + d] ?? 0) / count;
            return sum;
          });
          return [...cls, ...mean];
        }),
      ),
    );
  }
  await program.dispose();
  return vectors;
}

describe('features of photos', () => {
  it("are CLS ‖ mean of each block, tiles averaged, left ‖ right: te1ord's plan", async () => {
    const plan = featurePlan({ view: 'tiles', blocks: [1, 2], pooling: 'cls-mean' });
    const { rows, columns, data } = await extractFeatures(photos.slice(0, 1), weights, plan, {
      cacheFolder: cache('plan'),
    });
    expect([rows, columns]).toEqual([1, 2 * 2 * 2 * 24]);
    const { mean, std } = weights.preprocessing;
    const recipe = { plan: 'tiles', size: 42, interpolation: 'bicubic', mean, std, turn: 0 } as const;
    const tiles = await viewsByHand(photos[0] ?? '', recipe, [1, 2]);
    expect(tiles).toHaveLength(8);
    for (const half of [0, 1]) {
      for (let column = 0; column < 96; column++) {
        const expected = tiles
          .slice(4 * half, 4 * half + 4)
          .reduce((sum, tile) => sum + (tile[column] ?? 0) / 4, 0);
        expect(data[half * 96 + column]).toBeCloseTo(expected, 4);
      }
    }
  });

  it.each([
    [{ view: 'whole' as const }, 24],
    [{ view: 'halves' as const }, 48],
    [{ view: 'halves' as const, pooling: 'cls-mean' as const }, 96],
    [{ view: 'halves' as const, pooling: 'gem' as const, size: 28 }, 48],
    [{ view: 'tiles' as const, pooling: 'mean' as const, blocks: [0, 1, 2] }, 144],
    [{ view: 'tiles' as const, combine: 'keep' as const, size: 28 }, 192],
    [{ view: 'halves' as const, pooling: 'cls-mean-max' as const, blocks: ['17/23', '23/23'] }, 288],
    [{ view: 'halves' as const, pooling: 'patches' as const, grid: 2, size: '~40' }, 192],
    [{ view: 'tiles' as const, pooling: 'stages' as const }, 288],
    [{ view: 'tiles' as const, pooling: 'stages' as const, combine: 'keep' as const, blocks: ['1/2'] }, 384],
    [{ view: 'halves' as const, pooling: 'stages' as const, precision: 'int8' as const }, 288],
    [{ view: 'whole' as const, precision: 'int8' as const }, 24],
    [{ view: 'whole' as const, precision: 'int4' as const }, 24],
  ])('of %j have %i columns, all finite', async (draft, width) => {
    const matrix = await extractFeatures(photos.slice(0, 2), weights, featurePlan(draft), {
      cacheFolder: cache('widths'),
    });
    expect(matrix.columns).toBe(width);
    expect(matrix.data.every(Number.isFinite)).toBe(true);
    expect(matrix.data.slice(0, width)).not.toEqual(matrix.data.slice(width));
  });

  it('of a map of patches average to the mean of the patches, whatever its side', async () => {
    const of = async (draft: Parameters<typeof featurePlan>[0]): Promise<Float64Array> => {
      const plan = featurePlan({ view: 'whole', ...draft });
      return (await extractFeatures(photos.slice(0, 1), weights, plan, { cacheFolder: cache('maps') })).data;
    };
    const average = await of({ pooling: 'mean', blocks: [1] });
    const largest = await of({ pooling: 'max', blocks: [1] });
    const one = await of({ pooling: 'patches', grid: 1, blocks: [1] });
    const all = await of({ pooling: 'patches', grid: 3, blocks: [1] });
    expect(all).toHaveLength(9 * 24);
    average.forEach((value, column) => {
      expect(one[column]).toBeCloseTo(value, 4);
      const patches = Array.from({ length: 9 }, (_, patch) => all[patch * 24 + column] ?? Number.NaN);
      expect(patches.reduce((sum, patch) => sum + patch / 9, 0)).toBeCloseTo(value, 4);
      expect(Math.max(...patches)).toBeCloseTo(largest[column] ?? Number.NaN, 5);
    });
    // Of three patches a side, a map of two shares the middle ones between its cells.
    const two = await of({ pooling: 'patches', grid: 2, blocks: [1] });
    const corner = [0, 1, 3, 4].reduce((sum, patch) => sum + (all[patch * 24] ?? 0) / 4, 0);
    expect(two[0]).toBeCloseTo(corner, 4);
    await expect(of({ pooling: 'patches', grid: 4 })).rejects.toThrow(/only 3 × 3 patches/);
    expect(() => featurePlan({ view: 'tiles', pooling: 'patches' })).toThrow(/choose view whole or halves/);
  });

  it('take blocks by their share of the depth', () => {
    expect(blockNumbers([3, '17/23', '23/23', '0/23'], 24)).toEqual([3, 17, 23, 0]);
    expect(blockNumbers(['17/23', '23/23'], 12)).toEqual([8, 11]);
  });

  it('compute only what is new when the folder grows, to the same numbers', async () => {
    const plan = featurePlan({ view: 'halves' });
    const cacheFolder = cache('grown');
    const first = await extractFeatures(photos.slice(0, 3), weights, plan, { cacheFolder });
    const grown = await extractFeatures(photos, weights, plan, { cacheFolder });
    expect([first.computed, grown.computed]).toEqual([3, 2]);
    expect(grown.data.slice(0, first.data.length)).toEqual(first.data);
    const anew = await extractFeatures(photos, weights, plan, { cacheFolder: cache('anew') });
    expect(anew.data).toEqual(grown.data);
  });

  it('are computed again for another plan, other weights or another turn, and where the cache is damaged', async () => {
    const cacheFolder = cache('keys');
    const plan = featurePlan({ view: 'whole' });
    const one = photos.slice(0, 1);
    const original = await extractFeatures(one, weights, plan, { cacheFolder });
    for (const computed of [
      (await extractFeatures(one, weights, featurePlan({ view: 'whole', size: 28 }), { cacheFolder }))
        .computed,
      (await extractFeatures(one, { ...weights, sha256: 'b'.repeat(64) }, plan, { cacheFolder })).computed,
      (await extractFeatures(one, weights, plan, { cacheFolder, turn: 1 })).computed,
    ]) {
      expect(computed).toBe(1);
    }
    const entries = readdirSync(cacheFolder, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      writeFileSync(path, readFileSync(path).subarray(1));
    }
    const repaired = await extractFeatures(one, weights, plan, { cacheFolder });
    expect(repaired.computed).toBe(1);
    expect(repaired.data).toEqual(original.data);
  });

  it('say which photo cannot be used', async () => {
    const bad = join(root, 'bad.jpg');
    writeFileSync(bad, 'no photo');
    const cut = join(root, 'cut.png');
    writeFileSync(cut, readFileSync(photos[0] ?? '').subarray(0, -200));
    for (const [unusable, message] of [
      [bad, /bad\.jpg/],
      [cut, /cut\.png: the photo cannot be decoded/],
    ] as const) {
      const task = extractFeatures([photos[0] ?? '', unusable], weights, featurePlan({}), {
        cacheFolder: cache('bad'),
      });
      await expect(task).rejects.toThrow(message);
      await expect(task).rejects.toBeInstanceOf(InputError);
    }
  });

  it('are the same whether photos have a session each or one after the other has all threads', async () => {
    const plan = featurePlan({ view: 'halves', precision: 'int8' });
    const many = Array.from({ length: 4 }, () => photos).flat();
    const together = await extractFeatures(many, weights, plan, { cacheFolder: cache('together') });
    for (const [index, photo] of photos.entries()) {
      const alone = await extractFeatures([photo], weights, plan, { cacheFolder: cache(`alone-${index}`) });
      expect(together.data.slice(index * alone.columns, (index + 1) * alone.columns)).toEqual(alone.data);
    }
  });

  it('are of the part of a photo that counts', async () => {
    const plan = featurePlan({ view: 'whole' });
    const [of = ''] = photos;
    const { width, height } = await decodePhoto(of);
    const corner = (x: number, y: number) => ({ x: x * width, y: y * height });
    const whole = [corner(0, 0), corner(1, 0), corner(1, 1), corner(0, 1)] as const;
    const part = [corner(0, 0), corner(0.5, 0), corner(0.5, 1), corner(0, 1)] as const;
    const framed = [whole, part].map((corners) => ({ of, corners, framing: 'given' }) as const);
    const { data, columns } = await extractFeatures([of, ...framed], weights, plan, {
      cacheFolder: cache('parts'),
    });
    const row = (index: number) => data.slice(index * columns, (index + 1) * columns);
    expect(row(1)).toEqual(row(0));
    expect(row(2)).not.toEqual(row(0));
  });

  it.each([
    [{ size: 43 }, /cannot take views of 43 pixels; choose a multiple of 14/],
    [{ blocks: [3], pooling: 'mean' as const }, /blocks 0 to 2, not 3/],
  ])('refuse %j', async (draft, message) => {
    const task = extractFeatures(photos, weights, featurePlan(draft), { cacheFolder: cache('refused') });
    await expect(task).rejects.toThrow(message);
  });

  it('refuse a pooled output of inner blocks', () => {
    expect(() => featurePlan({ blocks: [1] })).toThrow(/choose cls, mean, cls-mean, gem or stages/);
  });

  it('list what is wrong with weights of another architecture', async () => {
    const other: ResolvedWeights = { ...weights, config: { ...config, dim: 48 } };
    await expect(
      extractFeatures(photos, other, featurePlan({}), { cacheFolder: cache('other') }),
    ).rejects.toThrow(/misshapen/);
  });
});

describe('prepared views', () => {
  const recipe: ViewRecipe = {
    plan: 'whole',
    size: 4,
    interpolation: 'bilinear',
    mean: [0, 0, 0],
    std: [1 / 255, 1 / 255, 1 / 255],
    turn: 0,
  };
  const pixels = { width: 4, height: 4, data: Uint8Array.from({ length: 48 }, (_, at) => at) };
  const red = (turn: number): number[] =>
    [...prepareViews({ pixels, recipe: { ...recipe, turn } }).slice(0, 16)].map(Math.round);
  const grid = Array.from({ length: 4 }, (_, y) => Array.from({ length: 4 }, (_, x) => (y * 4 + x) * 3));

  it('are channels first, normalised', () => {
    expect(red(0)).toEqual(grid.flat());
    const normal = prepareViews({ pixels, recipe: { ...recipe, mean: [0.5, 0, 0], std: [0.25, 1, 1] } });
    expect(normal[0]).toBeCloseTo((0 - 0.5) / 0.25, 6);
    expect(normal[16]).toBeCloseTo(1 / 255, 6);
  });

  it('turn in the eight ways of the square', () => {
    expect(red(1)).toEqual(grid.flatMap((row) => [...row].reverse()));
    expect(red(2)).toEqual([...grid].reverse().flat());
    expect(red(4)).toEqual(grid[0]?.flatMap((_, x) => grid.map((row) => row[x])));
    expect(new Set(Array.from({ length: 8 }, (_, turn) => red(turn).join())).size).toBe(8);
  });
});

describe('combining views', () => {
  it('averages the four tiles of a half and puts left before right', () => {
    const views = Float32Array.from({ length: 16 }, (_, at) => at);
    expect([...combineViews(featurePlan({ view: 'tiles' }), views, 2)]).toEqual([3, 4, 11, 12]);
    expect([...combineViews(featurePlan({}), Float32Array.of(1, 2, 3, 4), 2)]).toEqual([1, 2, 3, 4]);
  });

  it('keeps the tiles where that is asked for', () => {
    const views = Float32Array.from({ length: 16 }, (_, at) => at);
    const plan = featurePlan({ view: 'tiles', combine: 'keep' });
    expect([...combineViews(plan, views, 2)]).toEqual([...views]);
    expect(featureLayout(plan)).toEqual({ halves: 2, parts: 4 });
  });
});
