import { existsSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { openSafetensors } from '../../formats/safetensors/index.ts';
import { writeFileAtomically } from '../../ground/files.ts';
import { valueFingerprint } from '../../ground/fingerprint.ts';
import { readText } from '../../ground/whole-file.ts';
import { checkWeights, makeBackbone, recogniseShapes, type Shapes } from '../backbones/index.ts';
import { catalogueEntryIn } from './catalogue.ts';
import { type Configured, configure } from './configure.ts';
import { writeConverted } from './convert.ts';
import { requireFinite } from './finite.ts';
import { isSha256 } from './hub/cache.ts';
import { pulledFingerprint, rememberedFingerprint, rememberFingerprint } from './known-fingerprints.ts';
import { asTheyAre, layoutOf, mapTensors, sourceOf, type TargetTensor } from './map-tensors.ts';
import type { WeightsOrigin } from './origin.ts';
import { describedBeside, type Stated, statedBeside } from './stated.ts';
import { openWeights, type StoredWeights } from './stored-weights.ts';

/** A change of how other layouts are mapped makes files converted before useless. */
const CONVERSION = 'converted-v2';

/** Weights in a file, ready to be used. */
export interface LocalWeights extends Configured {
  /** A safetensors file under timm's names: the given one where it has them, else a converted copy. */
  readonly path: string;
  /** SHA-256 of the given file. */
  readonly sha256: string;
  /** The layout the given file is in: `timm`, Hugging Face's or that of the model's own repository. */
  readonly layout: string;
  /** What stands before the backbone's names in the given file, where something does. */
  readonly part?: string;
  /** What they were trained further from, where the description says so. */
  readonly origin?: WeightsOrigin;
}

/** What weights in a folder are called, in the order of preference. */
export const WEIGHTS_IN_FOLDERS = ['model.safetensors', 'pytorch_model.bin'] as const;

/**
 * Takes a file of safetensors or of PyTorch (or a folder with one) in timm's or Hugging Face's layout or that of the
 * model's own repository, and works out what it is from its tensors and the configuration beside it. safetensors in
 * timm's layout are used in place; others are converted once into sward's cache, filed by content.
 *
 * @param cacheFolder where sward keeps what it can compute again
 * @throws InputError where the file is damaged, of no known architecture, or leaves a setting open
 */
export async function localWeights(given: string, cacheFolder: string): Promise<LocalWeights> {
  const path = await weightsIn(given);
  const stated = await statedBeside(path);
  const file = await openWeights(path, stated?.prefix);
  const named = catalogueEntryIn(basename(path));
  const found = layoutOf(file.tensors.keys());
  const targets = found === undefined ? asTheyAre(path, file.tensors) : mapTensors(path, file.tensors, found);
  const configured = configure(path, recogniseShapes(shapesOf(targets)), stated, named);
  const sha256 = await contentHash(file, cacheFolder);
  const common = {
    ...configured,
    sha256,
    layout: found?.layout.title ?? 'timm',
    ...(file.part !== '' && { part: file.part }),
    ...(stated?.origin && { origin: stated.origin }),
  };
  const isInPlace = file.isInPlace && found === undefined && targets.every(isAsStored);
  const converted = join(cacheFolder, 'weights', CONVERSION, `${nameOf(sha256, stated)}.safetensors`);
  const tensors = new Map(targets.map((target) => [target.name, target]));
  if (!isInPlace && !(await isWhole(converted, cacheFolder))) {
    checkWeights(makeBackbone(configured.arch, configured.config), { path, tensors });
    const metadata = { format: 'pt', source_sha256: sha256 };
    const written = await writeConverted(path, targets, converted, metadata);
    await writeFileAtomically(checksumOf(converted), written);
    await rememberFingerprint(await openSafetensors(converted), written, cacheFolder);
  }
  const ready = isInPlace ? path : converted;
  await requireFinite(ready, configured, cacheFolder, sha256, (name, element) => {
    const target = tensors.get(name);
    return `${path} tensor ${JSON.stringify(target ? sourceOf(target, element) : name)}`;
  });
  if (isInPlace) return { path, ...common };
  const defaults = Object.entries(found?.layout.defaults ?? {});
  const silent = defaults.filter(([key]) => configured.config[key] === undefined);
  return {
    path: converted,
    ...common,
    config: { ...configured.config, ...Object.fromEntries(silent) },
  };
}

/** A file may be converted once for each of its parts. */
function nameOf(sha256: string, stated: Stated | undefined): string {
  return stated?.prefix === undefined
    ? sha256
    : `${sha256}-${valueFingerprint([stated.prefix]).slice(0, 12)}`;
}

const isAsStored = ({ dtype, pieces: [piece] }: TargetTensor): boolean => piece?.source.dtype === dtype;

async function weightsIn(given: string): Promise<string> {
  const kindOf = (path: string): Promise<'folder' | 'file' | undefined> =>
    stat(path).then(
      (stats) => (stats.isDirectory() ? 'folder' : 'file'),
      () => undefined,
    );
  if ((await kindOf(given)) !== 'folder') return given;
  for (const name of WEIGHTS_IN_FOLDERS) {
    if ((await kindOf(join(given, name))) === 'file') return join(given, name);
  }
  return join(given, WEIGHTS_IN_FOLDERS[0]);
}

/** The file of weights that a path leads to, and what lies beside it and may say what they are. */
export async function weightFilesOf(given: string): Promise<string[]> {
  const path = await weightsIn(given);
  const described = describedBeside(path);
  return [path, ...described.filter((file) => existsSync(file))];
}

/** @throws InputError for a file of the hub's cache, where files are named by their checksum, that has another */
async function contentHash(file: StoredWeights, cacheFolder: string): Promise<string> {
  const name = basename(await realpath(file.path));
  return pulledFingerprint(file, isSha256(name) ? name : undefined, cacheFolder);
}

/** Where the SHA-256 of a converted file is kept. */
const checksumOf = (converted: string): string => `${converted}.sha256`;

async function isWhole(path: string, cacheFolder: string): Promise<boolean> {
  try {
    const file = await openSafetensors(path);
    return (await readText(checksumOf(path))) === (await rememberedFingerprint(file, cacheFolder));
  } catch {
    // Not converted yet, or damaged since: converted anew.
    return false;
  }
}

function shapesOf(tensors: Iterable<{ readonly name: string; readonly shape: readonly number[] }>): Shapes {
  return new Map([...tensors].map(({ name, shape }) => [name, shape]));
}
