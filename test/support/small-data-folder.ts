import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { randomStream } from '../../src/ground/random.ts';
import { targetsFromComponents } from '../../src/pasture/physics.ts';
import { TARGET_NAMES, targetsToArray } from '../../src/pasture/targets.ts';

const HEADER =
  'sample_id,image_path,Sampling_Date,State,Species,Pre_GSHH_NDVI,Height_Ave_cm,target_name,target';

/** What a {@link writeSmallFolder} table holds, to be altered by a test before it is written. */
export interface SmallFolderOptions {
  readonly photos?: number;
  /** Receives the lines of train.csv (header first) and may change them. */
  readonly alter?: (lines: string[]) => string[];
}

/**
 * Writes a data folder of small photos whose greenness follows the green mass: six sessions in two States.
 *
 * @returns ids of the photos
 */
export async function writeSmallFolder(folder: string, options: SmallFolderOptions = {}): Promise<string[]> {
  const count = options.photos ?? 12;
  const random = randomStream(7);
  mkdirSync(join(folder, 'train'), { recursive: true });
  mkdirSync(join(folder, 'test'), { recursive: true });
  const lines = [HEADER];
  const ids: string[] = [];
  for (let index = 0; index < count; index++) {
    const id = `ID${1000 + index}`;
    ids.push(id);
    const green = 5 + 60 * random.uniform();
    const targets = targetsFromComponents({ green, dead: 3 + (index % 4), clover: index % 3 });
    const masses = targetsToArray(targets);
    const session = index % 6;
    const meta = `train/${id}.jpg,2015/${session + 1}/4,${session % 2 === 0 ? 'Tas' : 'Vic'},Ryegrass,0.6,5`;
    for (const [column, target] of TARGET_NAMES.entries()) {
      lines.push(`${id}__${target},${meta},${target},${masses[column]}`);
    }
    await writePhoto(join(folder, 'train', `${id}.jpg`), green, index);
  }
  writeFileSync(join(folder, 'train.csv'), `${(options.alter?.(lines) ?? lines).join('\n')}\n`);
  const testRows = TARGET_NAMES.map((target) => `ID1__${target},test/ID1.jpg,${target}`);
  writeFileSync(join(folder, 'test.csv'), `sample_id,image_path,target_name\n${testRows.join('\n')}\n`);
  await writePhoto(join(folder, 'test', 'ID1.jpg'), 30, 99);
  return ids;
}

/** A 64 × 32 photo of noise around a green that grows with `green` grams. */
export async function writePhoto(path: string, green: number, seed: number): Promise<void> {
  const random = randomStream(seed);
  const pixels = Buffer.alloc(64 * 32 * 3);
  for (let at = 0; at < pixels.length; at += 3) {
    const noise = 30 * random.uniform();
    pixels[at] = 90 + noise;
    pixels[at + 1] = 90 + green + noise;
    pixels[at + 2] = 60 + noise;
  }
  await sharp(pixels, { raw: { width: 64, height: 32, channels: 3 } })
    .jpeg()
    .toFile(path);
}
