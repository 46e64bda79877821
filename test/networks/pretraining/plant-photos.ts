import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { randomStream } from '../../../src/ground/random.ts';

/** Classes of {@link writeClassPhotos}, and the colour each is easily told by. */
export const CLASSES = {
  clover: [60, 140, 70],
  ryegrass: [150, 190, 60],
  soil: [130, 90, 60],
} as const;

const [WIDTH, HEIGHT] = [48, 40];

/** Photos in a folder a class: noise around the class's colour. */
export async function writeClassPhotos(folder: string, each: number): Promise<void> {
  for (const [index, [name, colour]] of Object.entries(CLASSES).entries()) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let photo = 0; photo < each; photo++) {
      await writeNoise(join(folder, name, `${photo}.png`), colour, 100 * index + photo);
    }
  }
}

/** Photos beside `table.csv`, whose greenness is `height` and whose redness is `litter`; three rows lack a value. */
export async function writeMeasuredPhotos(folder: string, count: number): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const random = randomStream(3);
  const lines = ['photo,height,litter,observer,group'];
  for (let photo = 0; photo < count; photo++) {
    const [height, litter] = [20 * random.uniform(), 100 * random.uniform()];
    await writeNoise(join(folder, `${photo}.png`), [80 + litter, 60 + 8 * height, 50], photo);
    const known = photo % 7 === 3 ? '' : litter.toFixed(2);
    lines.push(`${photo}.png,${height.toFixed(2)},${known},Ana,visit ${photo % 8}`);
  }
  writeFileSync(join(folder, 'table.csv'), `${lines.join('\n')}\n`);
}

/** A photo of noise around a colour. */
export async function writeNoise(
  path: string,
  colour: readonly [number, number, number],
  seed: number,
): Promise<void> {
  const random = randomStream(seed);
  const pixels = Buffer.from(
    Array.from({ length: WIDTH * HEIGHT * 3 }, (_, at) => {
      const value = (colour[at % 3] as number) + 50 * (random.uniform() - 0.5);
      return Math.max(0, Math.min(255, Math.round(value)));
    }),
  );
  await sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .png()
    .toFile(path);
}
