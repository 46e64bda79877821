import { realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InputError } from '../../../ground/errors.ts';
import { openSafetensors, type SafetensorsFile } from '../../../tensor/safetensors/index.ts';
import { isSha256 } from '../hub/cache.ts';
import { rememberedFingerprint } from '../known-fingerprints.ts';
import { type Configured, configure } from './configure.ts';
import { writeConverted } from './convert.ts';
import { HUGGING_FACE_LAYOUTS } from './huggingface.ts';
import { layoutOf, planTensors } from './layout.ts';
import { catalogueNameIn, recogniseShapes, type Shapes } from './recognise.ts';
import { statedBeside } from './stated.ts';

/** A change of how other layouts are mapped makes files converted before useless. */
const CONVERSION = 'v1';

/** Weights in a file, ready to be used. */
export interface LocalWeights extends Configured {
  /** A safetensors file under timm's names: the given one where it has them, else a converted copy. */
  readonly path: string;
  /** SHA-256 of the given file. */
  readonly sha256: string;
  /** The layout the given file is in: `timm`, or as Hugging Face's models have it. */
  readonly layout: string;
}

/**
 * Takes a `.safetensors` file (or a folder with `model.safetensors`) in timm's or Hugging Face's layout, and
 * works out what it is from its tensors and the configuration beside it. timm's layout is used in place; others
 * are converted once into sward's cache, filed by content.
 *
 * @param cacheFolder where sward keeps what it can compute again
 * @throws InputError where the file is damaged, of no known architecture, or leaves a setting open
 */
export async function localWeights(given: string, cacheFolder: string): Promise<LocalWeights> {
  const path = await weightsIn(given);
  const file = await openSafetensors(path);
  const stated = await statedBeside(path);
  const named = catalogueNameIn(basename(path));
  const found = layoutOf(file.tensors.keys(), HUGGING_FACE_LAYOUTS);
  if (found === undefined) {
    const recognised = recogniseShapes(shapesOf(file.tensors.values()));
    const configured = configure(path, recognised, stated, named);
    return { path, ...configured, sha256: await contentHash(file, cacheFolder), layout: 'timm' };
  }
  const targets = planTensors(path, file.tensors, found);
  const recognised = recogniseShapes(shapesOf(targets));
  const configured = withOwnActivation(configure(path, recognised, stated, named));
  const sha256 = await contentHash(file, cacheFolder);
  const converted = join(cacheFolder, 'weights', `converted-${CONVERSION}`, `${sha256}.safetensors`);
  if (!(await isWhole(converted))) {
    await writeConverted(path, targets, converted, { format: 'pt', source_sha256: sha256 });
  }
  return { path: converted, ...configured, sha256, layout: found.layout.title };
}

/** Hugging Face's SigLIP approximates GELU unless its configuration says otherwise. */
function withOwnActivation(configured: Configured): Configured {
  if (configured.arch !== 'siglip' || configured.config.activation !== undefined) return configured;
  return { ...configured, config: { ...configured.config, activation: 'gelu_tanh' } };
}

async function weightsIn(given: string): Promise<string> {
  const isFolder = await stat(given).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  const path = isFolder ? join(given, 'model.safetensors') : given;
  if (!/\.(bin|pth?|ckpt|onnx|npz|h5)$/i.test(path)) return path;
  throw new InputError(path, 'is not a safetensors file', 'convert it, or download the model.safetensors');
}

/** Files in the hub's cache are named by their checksum. */
async function contentHash(file: SafetensorsFile, cacheFolder: string): Promise<string> {
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
