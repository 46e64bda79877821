import { realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { openSafetensors } from '../../formats/safetensors/index.ts';
import { checkWeights, makeBackbone, recogniseShapes, type Shapes } from '../backbones/index.ts';
import { catalogueEntryIn } from './catalogue.ts';
import { type Configured, configure } from './configure.ts';
import { writeConverted } from './convert.ts';
import { isSha256 } from './hub/cache.ts';
import { rememberedFingerprint } from './known-fingerprints.ts';
import { asTheyAre, layoutOf, mapTensors } from './map-tensors.ts';
import type { WeightsOrigin } from './origin.ts';
import { statedBeside } from './stated.ts';
import { openWeights, type StoredWeights } from './stored-weights.ts';

/** A change of how other layouts are mapped makes files converted before useless. */
const CONVERSION = 'v1';

/** Weights in a file, ready to be used. */
export interface LocalWeights extends Configured {
  /** A safetensors file under timm's names: the given one where it has them, else a converted copy. */
  readonly path: string;
  /** SHA-256 of the given file. */
  readonly sha256: string;
  /** The layout the given file is in: `timm`, Hugging Face's or that of the model's own repository. */
  readonly layout: string;
  /** What they were trained further from, where the description says so. */
  readonly origin?: WeightsOrigin;
}

/** What weights in a folder are called, in the order of preference. */
const IN_FOLDERS = ['model.safetensors', 'pytorch_model.bin'] as const;

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
  const file = await openWeights(path);
  const stated = await statedBeside(path);
  const named = catalogueEntryIn(basename(path));
  const origin = stated?.origin && { origin: stated.origin };
  const found = layoutOf(file.tensors.keys());
  if (found === undefined && file.isInPlace) {
    const recognised = recogniseShapes(shapesOf(file.tensors.values()));
    const configured = configure(path, recognised, stated, named);
    return { path, ...configured, sha256: await contentHash(file, cacheFolder), layout: 'timm', ...origin };
  }
  const targets =
    found === undefined ? asTheyAre(path, file.tensors.values()) : mapTensors(path, file.tensors, found);
  const recognised = recogniseShapes(shapesOf(targets));
  const configured = configure(path, recognised, stated, named);
  const sha256 = await contentHash(file, cacheFolder);
  const converted = join(cacheFolder, 'weights', `converted-${CONVERSION}`, `${sha256}.safetensors`);
  if (!(await isWhole(converted))) {
    const tensors = new Map(targets.map((target) => [target.name, target]));
    checkWeights(makeBackbone(configured.arch, configured.config), { path, tensors });
    await writeConverted(path, targets, converted, { format: 'pt', source_sha256: sha256 });
  }
  const defaults = Object.entries(found?.layout.defaults ?? {});
  const silent = defaults.filter(([key]) => configured.config[key] === undefined);
  return {
    path: converted,
    ...configured,
    config: { ...configured.config, ...Object.fromEntries(silent) },
    sha256,
    layout: found?.layout.title ?? 'timm',
    ...origin,
  };
}

async function weightsIn(given: string): Promise<string> {
  const kindOf = (path: string): Promise<'folder' | 'file' | undefined> =>
    stat(path).then(
      (stats) => (stats.isDirectory() ? 'folder' : 'file'),
      () => undefined,
    );
  if ((await kindOf(given)) !== 'folder') return given;
  for (const name of IN_FOLDERS) {
    if ((await kindOf(join(given, name))) === 'file') return join(given, name);
  }
  return join(given, IN_FOLDERS[0]);
}

/** Files in the hub's cache are named by their checksum. */
async function contentHash(file: StoredWeights, cacheFolder: string): Promise<string> {
  const name = basename(await realpath(file.path));
  return isSha256(name) ? name : rememberedFingerprint(file, cacheFolder);
}

async function isWhole(path: string): Promise<boolean> {
  try {
    await openSafetensors(path);
    return true;
  } catch {
    // Not converted yet, or damaged since: converted anew.
    return false;
  }
}

function shapesOf(tensors: Iterable<{ readonly name: string; readonly shape: readonly number[] }>): Shapes {
  return new Map([...tensors].map(({ name, shape }) => [name, shape]));
}
