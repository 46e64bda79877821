import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readNpyMatrix } from '../src/formats/npy/npy.ts';
import { SwardError } from '../src/ground/errors.ts';
import type { Matrix } from '../src/ground/matrix.ts';
import { median } from './median.ts';
import { writeWeights } from './recipe/inputs.ts';
import { answerOf, finished } from './recipe/processes.ts';
import { AT_ITS_BEST, pythonsWith } from './yardstick/python.ts';

const THREADS = 2;
const ROUNDS = 5;

/** Photos a batch of PyTorch's side, two views each. */
const BATCH = 4;

const COMMAND = resolve(import.meta.dirname, '..', 'dist', 'cli', 'main.js');

/** Pixels of a view, and photos whose features are asked for. */
const CASES = [
  { name: 'ViT-S/14 518', size: 518, photos: 24 },
  { name: 'ViT-S/14 224', size: 224, photos: 86 },
] as const;

interface Row {
  readonly name: string;
  /** Seconds of the whole command, by the precision of linear layers. */
  readonly fp32: number;
  readonly int8: number;
  /** PyTorch's seconds under bf16's autocast, without its import, over ours. */
  readonly overFp32: number;
  readonly overInt8: number;
  /** Cosine of features of photos with PyTorch's, the least of all photos. */
  readonly cosineFp32: number;
  readonly cosineInt8: number;
}

/**
 * Features of photos from their files to a matrix on the disk, by the built `sward features` with nothing cached, in single
 * precision and int8, and by `photo-features/torch_features.py` under bfloat16's autocast: they take turns, and medians of
 * five count. `SWARD_BENCH` (a regular expression) chooses cases, `SWARD_PYTHON` the Python with torch and timm.
 */
export async function run(): Promise<{ readonly rows: readonly Row[] }> {
  const shared = process.env.SWARD_SHARED ?? resolve(import.meta.dirname, '..', '..', 'shared');
  const [python] = pythonsWith(['torch', 'timm', 'safetensors', 'PIL', 'numpy']);
  if (python === undefined) throw new SwardError('PyTorch with timm is not importable; set SWARD_PYTHON');
  const wanted = new RegExp(process.env.SWARD_BENCH ?? '', 'i');
  const rows: Row[] = [];
  for (const own of CASES.filter(({ name }) => wanted.test(name))) {
    const folder = await mkdtemp(join(tmpdir(), 'sward-bench-'));
    try {
      const row = await measured(own, join(shared, 'csiro', 'train'), python, folder);
      console.error(
        `${row.name}: sward ${row.fp32.toFixed(1)} s, in int8 ${row.int8.toFixed(1)} s; PyTorch bf16 takes ${row.overFp32.toFixed(2)} ` +
          `and ${row.overInt8.toFixed(2)} times as long; least cosine ${row.cosineFp32.toFixed(5)}, ${row.cosineInt8.toFixed(5)}`,
      );
      rows.push(row);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return { rows };
}

async function measured(
  { name, size, photos: count }: (typeof CASES)[number],
  from: string,
  python: string,
  folder: string,
): Promise<Row> {
  const photos = join(folder, 'photos');
  await mkdir(photos);
  const files = (await readdir(from)).filter((file) => file.endsWith('.jpg')).sort();
  for (const file of files.slice(0, count)) await copyFile(join(from, file), join(photos, file));
  const config = { patch: 14, dim: 384, depth: 12, heads: 6, imgSize: [size, size] };
  const weights = join(folder, 'vit.safetensors');
  await writeWeights(weights, { arch: 'dinov2', config, size });
  const ours = async (precision: 'fp32' | 'int8'): Promise<number> => {
    const cache = join(folder, 'cache');
    const out = ['--out', join(folder, `${precision}.npy`), '--ids', join(folder, 'ids.txt'), '--overwrite'];
    const asked = ['--backbone', weights, '--size', String(size), '--precision', precision];
    const { seconds } = await finished(process.execPath, [COMMAND, 'features', photos, ...asked, ...out], {
      SWARD_CACHE: cache,
    });
    await rm(cache, { recursive: true });
    return seconds;
  };
  const spec = {
    ...{ photos, size, weights, out: join(folder, 'torch.npy'), precision: 'bf16' },
    ...{ timm: 'vit_small_patch14_dinov2', batch: BATCH, threads: THREADS },
  };
  const script = join(import.meta.dirname, 'photo-features', 'torch_features.py');
  const theirs = async (): Promise<number> => {
    return (await answerOf<{ seconds: number }>(python, script, spec, AT_ITS_BEST)).seconds;
  };
  const times = { fp32: [] as number[], int8: [] as number[], bf16: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    times.fp32.push(await ours('fp32'));
    times.int8.push(await ours('int8'));
    times.bf16.push(await theirs());
  }
  const [fp32, int8, bf16] = [median(times.fp32), median(times.int8), median(times.bf16)];
  return {
    name,
    fp32,
    int8,
    overFp32: bf16 / fp32,
    overInt8: bf16 / int8,
    cosineFp32: await leastCosine(join(folder, 'fp32.npy'), spec.out),
    cosineInt8: await leastCosine(join(folder, 'int8.npy'), spec.out),
  };
}

/** The least cosine of rows: 1 where both have the same direction everywhere. @throws SwardError for other shapes */
async function leastCosine(one: string, other: string): Promise<number> {
  const [a, b] = [await readNpyMatrix(one), await readNpyMatrix(other)];
  if (a.rows !== b.rows || a.columns !== b.columns) throw new SwardError('features are of other photos');
  const row = ({ data, columns }: Matrix, index: number): Float64Array =>
    data.subarray(index * columns, (index + 1) * columns);
  const product = (x: Float64Array, y: Float64Array): number =>
    x.reduce((sum, value, i) => sum + value * (y[i] as number), 0);
  const cosines = Array.from({ length: a.rows }, (_, index) => {
    const [x, y] = [row(a, index), row(b, index)];
    return product(x, y) / Math.sqrt(product(x, x) * product(y, y));
  });
  return Math.min(...cosines);
}
