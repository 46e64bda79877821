import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { renderSample } from '../src/sample/index.ts';
import { findFrame, LOOKED_AT } from '../src/vision/framing/index.ts';
import { decodePhoto, type Pixels, photoFrom, type Quadrilateral } from '../src/vision/photos/index.ts';
import { rectified } from '../src/vision/photos/rectify.ts';
import { cornerError, framedScene, intersectionOverUnion } from '../test/support/framed-scenes.ts';

const SCENES = 200;
const WITHOUT = 60;
const SIZE = { width: 800, height: 600 };
/** A frame whose corners are all nearer than this share of the diagonal is rightly found. */
const RIGHT = 0.02;

interface Figures {
  readonly scenes: number;
  /** Shares of the scenes whose frame was rightly found, wrongly, and not. */
  readonly right: number;
  readonly wrong: number;
  readonly none: number;
  /** Of those rightly found: corner errors as shares of the diagonal, and intersection over union. */
  readonly cornerErrorMedian: number;
  readonly cornerError95: number;
  readonly overlapMedian: number;
  readonly overlap5: number;
  /** Of scenes without a frame, and of photos of the inside of quadrats. */
  readonly falselyFound: string;
  /** Processor milliseconds a photo: to find a frame, and to cut it out of 12 megapixels. */
  readonly findMilliseconds: number;
  readonly cutMilliseconds: number;
}

/**
 * How well frames are found in drawn scenes on swards of real photos (`SWARD_SHARED`, default ../shared), or rendered
 * ones, of all degrees of hardness, and what it costs.
 */
export async function run(): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'sward-framing-'));
  try {
    const paths = await swardPhotos(folder);
    const swards = await Promise.all(paths.map((path) => decodePhoto(path)));
    let milliseconds = 0;
    let searches = 0;
    const foundIn = (pixels: Pixels): Quadrilateral | null => {
      const before = process.cpuUsage();
      const found = findFrame(pixels);
      const { user, system } = process.cpuUsage(before);
      milliseconds += (user + system) / 1000;
      searches++;
      return found;
    };
    const errors: number[] = [];
    const overlaps: number[] = [];
    let wrong = 0;
    for (let seed = 1; seed <= SCENES; seed++) {
      const { pixels, corners, told } = framedScene(seed, swards, SIZE);
      const shrunk = await asPhotographed(pixels);
      const scale = pixels.width / shrunk.width;
      const found = foundIn(shrunk)?.map(({ x, y }) => ({ x: x * scale, y: y * scale }));
      if (!found || !corners) {
        process.stderr.write(`${seed}: not found: ${told}\n`);
        continue;
      }
      const own = found as unknown as Quadrilateral;
      const error = cornerError(own, corners, SIZE);
      if (error >= RIGHT) {
        wrong++;
        process.stderr.write(`${seed}: wrongly found: ${told}\n`);
        continue;
      }
      errors.push(error);
      overlaps.push(intersectionOverUnion(own, corners));
    }
    let falsely = 0;
    for (let seed = 1; seed <= WITHOUT; seed++) {
      const { pixels, told } = framedScene(seed, swards, { ...SIZE, hasFrame: false });
      if (!foundIn(await asPhotographed(pixels))) continue;
      falsely++;
      process.stderr.write(`${seed}: found where none is: ${told}\n`);
    }
    for (const path of paths) {
      if (!foundIn(await decodePhoto(path, { maxPixels: LOOKED_AT }))) continue;
      falsely++;
      process.stderr.write(`${path}: found where none is\n`);
    }
    const share = (values: readonly number[], at: number): number =>
      [...values].sort((a, b) => a - b)[Math.floor(at * (values.length - 1))] ?? Number.NaN;
    return {
      scenes: SCENES,
      right: errors.length / SCENES,
      wrong: wrong / SCENES,
      none: 1 - (errors.length + wrong) / SCENES,
      cornerErrorMedian: share(errors, 0.5),
      cornerError95: share(errors, 0.95),
      overlapMedian: share(overlaps, 0.5),
      overlap5: share(overlaps, 0.05),
      falselyFound: `${falsely} of ${WITHOUT + paths.length}`,
      findMilliseconds: milliseconds / searches,
      cutMilliseconds: cutting(),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A scene as JPEG keeps it, as large as frames are looked for in. */
async function asPhotographed({ data, width, height }: Pixels): Promise<Pixels> {
  const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 80 })
    .toBuffer();
  return decodePhoto(photoFrom('scene.jpg', jpeg), { maxPixels: LOOKED_AT });
}

/** What it takes to cut a frame of two thirds of the width out of 12 megapixels. */
function cutting(): number {
  const pixels = { width: 4000, height: 3000, data: new Uint8Array(4000 * 3000 * 3).fill(90) };
  const corners: Quadrilateral = [
    { x: 640, y: 820 },
    { x: 3300, y: 760 },
    { x: 3380, y: 1980 },
    { x: 580, y: 2040 },
  ];
  rectified(pixels, corners);
  const before = process.cpuUsage();
  rectified(pixels, corners);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

async function swardPhotos(folder: string): Promise<string[]> {
  const real = resolve(process.env.SWARD_SHARED ?? '../shared', 'csiro', 'train');
  const names = await readdir(real).catch(() => null);
  if (names) return names.filter((name) => name.endsWith('.jpg')).map((name) => join(real, name));
  const out = join(folder, 'sample');
  await renderSample({ out, count: 40 });
  return (await readdir(join(out, 'train'))).map((name) => join(out, 'train', name));
}
