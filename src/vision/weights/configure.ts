import { isDeepStrictEqual } from 'node:util';
import { InputError, UsageError } from '../../ground/errors.ts';
import {
  ARCHITECTURES,
  type BackboneConfig,
  makeBackbone,
  type Preprocessing,
  type recogniseShapes,
  type Size,
} from '../backbones/index.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { descriptionPath, type Stated } from './stated.ts';

/** Everything about weights but where they lie. */
export interface Configured {
  readonly arch: string;
  /** For `makeBackbone(arch, config)`. */
  readonly config: BackboneConfig;
  readonly preprocessing: Preprocessing;
  /** What nothing states and was taken for the likeliest, in words; absent where nothing was. */
  readonly assumed?: string;
}

/** Longer against shorter side of pictures that need no second thought. */
const FLATTEST = 3;

type Recognition = ReturnType<typeof recogniseShapes>;

/**
 * Brings together what the tensors' shapes tell, what files beside the weights state, and what the catalogue
 * knows of weights of that name. Shapes win over statements, which win over what is usual.
 *
 * @param named the catalogue's entry the file's name begins with
 * @throws InputError where they contradict each other, name an architecture that is not known, or leave a setting open
 */
export function configure(
  path: string,
  recognised: Recognition,
  stated: Stated | undefined,
  named: CatalogueEntry | undefined,
): Configured {
  if (stated?.unknown) {
    throw new InputError(
      path,
      `${stated.unknown.from} says that the weights are of ${stated.unknown.name}, which is no architecture that is known here`,
      'use a backbone of `sward backbones list`; a file that does not belong to the weights has to go from beside them',
    );
  }
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
  const { imgSize, assumed } = pictureOf(path, recognised, stated, kin) ?? {};
  const config: BackboneConfig = { ...mergedConfig(recognised, stated, kin), ...(imgSize && { imgSize }) };
  const open = Object.keys(recognised?.open ?? {}).filter((key) => config[key] === undefined);
  if (open.length > 0) {
    throw new InputError(
      path,
      `holds weights of ${arch} whose ${open.join(' and ')} cannot be told from the tensors`,
      `give the config.json that came with it, or write ${descriptionPath(path)}: ` +
        JSON.stringify({ arch, config: Object.fromEntries(open.map((key) => [key, '…'])) }),
    );
  }
  requireWhole(path, arch, config, stated);
  return {
    arch,
    config,
    preprocessing: mergedPreprocessing(arch, config, stated, kin),
    ...(assumed && { assumed }),
  };
}

/** @throws InputError where a configuration lacks settings, or they do not go together */
function requireWhole(path: string, arch: string, config: BackboneConfig, stated: Stated | undefined): void {
  try {
    makeBackbone(arch, config);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new InputError(
      stated?.from ?? path,
      `with what the tensors of ${path} tell makes no ${arch} (${error.message})`,
      `give every setting of ${arch} under config; are the weights of ${arch} at all?`,
    );
  }
}

function mergedConfig(
  recognised: Recognition,
  stated: Stated | undefined,
  kin: CatalogueEntry | undefined,
): BackboneConfig {
  const merged = { ...recognised?.open, ...kin?.config, ...stated?.config, ...recognised?.config };
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
    return differs ? [`${key} ${JSON.stringify(other)} for ${JSON.stringify(found)}`] : [];
  });
}

/**
 * The picture that a learnt position embedding is for: one that is stated and has as many patches, else the square;
 * undefined where there is no such embedding.
 *
 * @throws InputError where a statement contradicts the number of patches, or they make no square
 */
function pictureOf(
  path: string,
  recognised: Recognition,
  stated: Stated | undefined,
  kin: CatalogueEntry | undefined,
): { readonly imgSize: Size; readonly assumed?: string } | undefined {
  if (recognised?.positions === undefined) return undefined;
  const { positions } = recognised;
  const { patches, patch, before } = positions;
  const pictures = stated?.pictures ?? [];
  const usual = [stated?.config.imgSize, kin?.config.imgSize].filter(isPair);
  const fitting = [...pictures.map(({ size }) => size), ...usual].find(
    (size) => gridOf(size, patch)[0] * gridOf(size, patch)[1] === patches,
  );
  if (fitting !== undefined) return { imgSize: fitting };
  if (before > 0 && !isSquare(patches) && isSquare(patches + before)) {
    throw new InputError(
      path,
      `has ${patches + before} positions, as many as a square has patches and none for the CLS token, which ${recognised.arch} has one for`,
      'it is of another architecture (DeiT III has such positions): use a backbone of `sward backbones list`',
    );
  }
  const grids = plausibleGrids(patches);
  const state = `state it in ${descriptionPath(path)}: ${JSON.stringify({
    arch: recognised.arch,
    config: { imgSize: grids[0]?.map((count) => count * patch) ?? '…' },
  })}`;
  // Weights for squares are used, and described, at other squares too; a shape is not stated by chance.
  const contrary = pictures.find(({ size, isNative }) => isNative || size[0] !== size[1]);
  if (contrary !== undefined) {
    const [rows, columns] = gridOf(contrary.size, patch);
    throw new InputError(
      path,
      `has positions of ${patches} patches, but ${contrary.as} ${contrary.size.join(' × ')}, ` +
        `which is ${rows} × ${columns} = ${rows * columns} patches of ${patch} pixels`,
      `${patches} may be ${inWords(squareFirst(patches, grids))}; ${state}`,
    );
  }
  if (!isSquare(patches)) {
    throw new InputError(
      path,
      `has positions of ${patches} patches, which make no square, and nothing states the picture they are for`,
      `they may be ${inWords(grids)}, or the other way round; ${state}`,
    );
  }
  const side = Math.sqrt(patches);
  const imgSize = [side * patch, side * patch] as const;
  if (grids.length === 0) return { imgSize };
  const taken = `${side} × ${side} (pictures of ${imgSize.join(' × ')} pixels)`;
  const assumed = `positions of ${patches} patches are taken for ${taken}; were they ${inWords(grids)}, ${state}`;
  return { imgSize, assumed };
}

const isSquare = (count: number): boolean => Number.isInteger(Math.sqrt(count));

const gridOf = ([height, width]: Size, patch: number): Size => [
  Math.floor(height / patch),
  Math.floor(width / patch),
];

/** Grids of so many patches that photos may have, the flattest last; others only where there is none of these. */
function plausibleGrids(patches: number): readonly Size[] {
  const grids: Size[] = [];
  for (let rows = Math.ceil(Math.sqrt(patches)) - 1; rows > 0; rows--) {
    if (patches % rows === 0) grids.push([rows, patches / rows]);
  }
  const likely = grids.filter(([rows, columns]) => columns <= FLATTEST * rows);
  return likely.length > 0 || isSquare(patches) ? likely : grids;
}

const squareFirst = (patches: number, grids: readonly Size[]): readonly Size[] => {
  const side = Math.sqrt(patches);
  return isSquare(patches) ? [[side, side], ...grids] : grids;
};

const inWords = (grids: readonly Size[]): string =>
  grids.map(([rows, columns]) => `${rows} × ${columns}`).join(' or ');

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
