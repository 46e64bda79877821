import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomStream } from '../../src/ground/random.ts';
import { saveTensors, sizeOf, type TensorData } from '../../src/tensor/index.ts';
import { backboneParameters, makeBackbone } from '../../src/vision/backbones/index.ts';
import { centerCrop } from '../../src/vision/backbones/published.ts';
import type { ResolvedWeights } from '../../src/vision/weights/index.ts';
import type { BenchBackbone } from './cases.ts';

/** Weights that let every layer matter: noise, norms and LayerScale around 1. */
export async function writeWeights(
  path: string,
  { arch, config, size }: Omit<BenchBackbone, 'timm'>,
): Promise<ResolvedWeights> {
  const random = randomStream(3);
  const tensors = backboneParameters(makeBackbone(arch, config)).map(
    ({ name, shape }): [string, TensorData] => {
      const centre = /norm\d?\.weight$|stem\.1\.weight$|downsample\.0\.weight$|gamma$/.test(name) ? 1 : 0;
      const deviation = shape.length > 1 ? 1 / Math.sqrt(sizeOf(shape.slice(1))) : 0.05;
      const values = Float32Array.from(
        { length: sizeOf(shape) },
        () => centre + 0.5 * deviation * random.normal(),
      );
      return [name, { dtype: 'float32', shape, values }];
    },
  );
  await saveTensors(path, Object.fromEntries(tensors));
  // No hash of theirs, but one that tells sizes apart.
  return { path, arch, config, preprocessing: centerCrop(size, 1), source: 'random', sha256: String(size) };
}

/**
 * A data folder with some of the photos of another, evenly spread.
 *
 * @returns paths of its photos
 */
export async function writeData(folder: string, from: string, count: number): Promise<string[]> {
  const [header = '', ...rows] = (await readFile(join(from, 'train.csv'), 'utf8')).trim().split('\n');
  const pathOf = (row: string): string => row.split(',')[1] ?? '';
  const all = [...new Set(rows.map(pathOf))];
  const chosen = Array.from(
    { length: count },
    (_, index) => all[Math.floor((index * all.length) / count)] ?? '',
  );
  await mkdir(join(folder, 'train'), { recursive: true });
  for (const path of chosen) await copyFile(join(from, path), join(folder, path));
  const kept = rows.filter((row) => chosen.includes(pathOf(row)));
  await writeFile(join(folder, 'train.csv'), `${[header, ...kept].join('\n')}\n`);
  return chosen.map((path) => join(folder, path));
}
