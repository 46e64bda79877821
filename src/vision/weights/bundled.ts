import { openSafetensors } from '../../formats/safetensors/index.ts';
import { InputError } from '../../ground/errors.ts';
import { packageFile } from '../../ground/package-file.ts';
import { type CatalogueEntry, findBackbone } from './catalogue.ts';
import type { Configured } from './configure.ts';
import { rememberedFingerprint } from './known-fingerprints.ts';

/** What the weights that come with sward are called wherever a backbone is named. */
export const BUNDLED = 'bundled';

/** Which these are: the catalogue's name, the file in `weights/` and its SHA-256, which `scripts/bundle-weights.ts` prints. */
const WEIGHTS = {
  name: 'tf_efficientnet_lite2.in1k',
  file: 'tf_efficientnet_lite2.safetensors',
  bytes: 9_999_088,
  sha256: '49adef609c0612fa3eda6848885df0cff272f8e03fa1234056b610a8e24adada',
} as const;

const PATH = packageFile(`weights/${WEIGHTS.file}`);

/** A backbone that comes with sward: the catalogue's entry of the weights it was made of, and its own file. */
export interface BundledBackbone {
  readonly entry: CatalogueEntry;
  /** The catalogue's name of the weights. */
  readonly weights: string;
  readonly path: string;
}

/** What is bundled; the file is not looked at. */
export function bundledBackbone(): BundledBackbone {
  const { name, bytes, sha256 } = WEIGHTS;
  const published = findBackbone(name);
  if (published === undefined) throw new Error(`the catalogue has no ${name}`);
  return {
    entry: { ...published, name: BUNDLED, bytes, dataBytes: bytes, sha256 },
    weights: name,
    path: PATH,
  };
}

/**
 * The weights that come with sward, for which neither network nor hub is needed.
 *
 * @throws InputError where the file is missing or is not the one sward came with
 */
export async function bundledWeights(
  cacheFolder: string,
): Promise<Configured & { readonly path: string; readonly source: string; readonly sha256: string }> {
  const { entry, path } = bundledBackbone();
  const { arch, config, preprocessing } = entry;
  const sha256 = await rememberedFingerprint(await openSafetensors(path), cacheFolder);
  if (sha256 !== WEIGHTS.sha256) {
    throw new InputError(path, 'is not the file that sward came with', 'install sward again');
  }
  return { path, arch, config, preprocessing, source: `bundled ${WEIGHTS.name}`, sha256 };
}
