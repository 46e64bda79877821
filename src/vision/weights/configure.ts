import { isDeepStrictEqual } from 'node:util';
import { InputError } from '../../ground/errors.ts';
import {
  ARCHITECTURES,
  type BackboneConfig,
  type Preprocessing,
  type recogniseShapes,
} from '../backbones/index.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { descriptionPath, type Stated } from './stated.ts';

/** Everything about weights but where they lie. */
export interface Configured {
  readonly arch: string;
  /** For `makeBackbone(arch, config)`. */
  readonly config: BackboneConfig;
  readonly preprocessing: Preprocessing;
}

type Recognition = ReturnType<typeof recogniseShapes>;

/**
 * Brings together what the tensors' shapes tell, what files beside the weights state, and what the catalogue
 * knows of weights of that name. Shapes win over statements, which win over what is usual.
 *
 * @param named the catalogue's entry the file's name begins with
 * @throws InputError where they contradict each other, or leave a setting open
 */
export function configure(
  path: string,
  recognised: Recognition,
  stated: Stated | undefined,
  named: CatalogueEntry | undefined,
): Configured {
  const kin = named !== undefined && contradictions(recognised, named).length === 0 ? named : undefined;
  const arch = recognised?.arch ?? stated?.arch;
  if (arch === undefined) {
    throw new InputError(
      path,
      "the tensors are of no architecture that is known here, in timm's, Hugging Face's or their own repository's layout",
      `use a backbone of \`sward backbones list\`, or describe the file in ${descriptionPath(path)} (arch, config)`,
    );
  }
  const wrong = stated === undefined ? [] : contradictions(recognised, stated);
  if (wrong.length > 0) {
    throw new InputError(
      path,
      `the tensors contradict ${stated?.from}: ${wrong.join('; ')}`,
      'give the configuration that belongs to the file, or the file that belongs to it',
    );
  }
  const config = mergedConfig(recognised, stated, kin);
  const open = Object.keys(recognised?.open ?? {}).filter((key) => config[key] === undefined);
  if (open.length > 0) {
    throw new InputError(
      path,
      `holds weights of ${arch} whose ${open.join(' and ')} cannot be told from the tensors`,
      `give the config.json that came with it, or write ${descriptionPath(path)}: ` +
        JSON.stringify({ arch, config: Object.fromEntries(open.map((key) => [key, '…'])) }),
    );
  }
  return { arch, config, preprocessing: mergedPreprocessing(arch, config, stated, kin) };
}

function mergedConfig(
  recognised: Recognition,
  stated: Stated | undefined,
  kin: CatalogueEntry | undefined,
): BackboneConfig {
  const beside: Record<string, unknown> = { ...recognised?.open, ...kin?.config, ...stated?.config };
  const merged: Record<string, unknown> = { ...beside, ...recognised?.config };
  if (sameGrid(beside.imgSize, merged.imgSize, merged.patch)) merged.imgSize = beside.imgSize;
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
}

/** Settings that are stated otherwise than the tensors have them: `dim 768 for 384`. */
function contradictions(
  recognised: Recognition,
  said: { readonly arch?: string; readonly config: BackboneConfig },
): string[] {
  if (recognised === undefined) return [];
  if (said.arch !== undefined && said.arch !== recognised.arch)
    return [`${said.arch} for ${recognised.arch}`];
  return Object.entries(recognised.config).flatMap(([key, found]) => {
    const other = said.config[key];
    const differs = other !== undefined && JSON.stringify(other) !== JSON.stringify(found);
    return differs && key !== 'imgSize'
      ? [`${key} ${JSON.stringify(other)} for ${JSON.stringify(found)}`]
      : [];
  });
}

/** Whether two pictures make as many patches: 384 and 378 make 27 of 14 pixels. */
function sameGrid(a: unknown, b: unknown, patch: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b) || typeof patch !== 'number') return false;
  return [0, 1].every((axis) => Math.floor(Number(a[axis]) / patch) === Math.floor(Number(b[axis]) / patch));
}

/** What is usual for the configuration, or else for the architecture, at the picture size of these weights. */
function mergedPreprocessing(
  arch: string,
  config: BackboneConfig,
  stated: Stated | undefined,
  kin: CatalogueEntry | undefined,
): Preprocessing {
  const known = ARCHITECTURES.find((one) => one.arch === arch)?.weights ?? [];
  const alike = known.find((one) => isDeepStrictEqual(one.config, config));
  const usual = (kin ?? alike ?? known[0])?.preprocessing;
  if (usual === undefined) throw new Error(`the catalogue has no ${arch}`);
  if (kin !== undefined) return { ...usual, ...stated?.preprocessing };
  const { testInputSize: _, testCropFraction: __, ...kept } = usual;
  const size = config.imgSize;
  const own = isPair(size) ? { inputSize: size } : {};
  return { ...kept, ...own, ...stated?.preprocessing };
}

function isPair(value: unknown): value is readonly [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every((side) => typeof side === 'number');
}
