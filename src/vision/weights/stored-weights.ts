import { hasAveraged, openStateDict } from '../../formats/state-dict/index.ts';
import { requireReadable } from '../../formats/torch-checkpoint/index.ts';
import { InputError } from '../../ground/errors.ts';
import { ARCHITECTURES, recogniseShapes } from '../backbones/index.ts';
import { layoutOf, type StoredTensor } from './map-tensors.ts';
import { descriptionPath } from './stated.ts';

/** A file of weights, of whatever kind, whose tensors have been looked at. */
export interface StoredWeights {
  readonly path: string;
  /** Identifies the file as it was when opened. */
  readonly version: string;
  /** Whether ONNX Runtime can take tensors from the file where they lie, under the names it has. */
  readonly isInPlace: boolean;
  /** Tensors of the backbone by their names in it; each entry's `name` is the one that the file has. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** What stands before the backbone's names in the file, wrappers and all; empty where nothing does. */
  readonly part: string;
}

type Named = ReadonlyMap<string, StoredTensor>;

/** A backbone among the tensors of a file. */
interface Candidate {
  /** What its names begin with, without and with wrappers. */
  readonly prefix: string;
  readonly stored: string;
}

/** By one of these a backbone is found among other parts of a model: the first layer of timm's layout and of others. */
const FIRST_LAYERS: readonly RegExp[] = [
  /(?:^|\.)(?:patch_embed\.proj|stem\.0|conv_stem)\.weight$/,
  ...ARCHITECTURES.flatMap(({ layouts }) => layouts.flatMap(({ marks: [first] }) => first ?? [])),
];

/**
 * @param chosen what stands before the backbone that is meant, where there are several
 * @throws InputError when the file is missing, damaged, of a kind that is not read, or leaves open which backbone is meant
 */
export async function openWeights(path: string, chosen?: string): Promise<StoredWeights> {
  if (/\.(onnx|npz|h5)$/i.test(path)) {
    throw new InputError(path, 'is not a file of safetensors or PyTorch', 'download the model.safetensors');
  }
  const file = await openStateDict(path);
  const { prefix, stored } = backboneIn(path, file.tensors, chosen);
  requireReadable(
    file,
    [...file.unreadable.keys()].filter((name) => name.startsWith(prefix)),
  );
  return {
    path,
    version: file.version,
    isInPlace: file.kind === 'safetensors' && file.asStored && prefix === '',
    tensors: partOf(file.tensors, prefix),
    part: stored,
  };
}

/** Whether a backbone is among tensors of these names. */
export function holdsBackbone(names: Iterable<string>): boolean {
  for (const name of names) if (firstLayerAt(name) >= 0) return true;
  return false;
}

/**
 * What the names of a backbone's tensors begin with in a model that has other parts too: `backbone.`, or nothing.
 *
 * @throws InputError when there are several backbones
 */
export const backbonePrefix = (path: string, tensors: Named, chosen?: string): string =>
  backboneIn(path, tensors, chosen).prefix;

function backboneIn(path: string, tensors: Named, chosen: string | undefined): Candidate {
  const found = candidatesIn(tensors);
  if (chosen !== undefined) return chosenOf(path, found, chosen);
  const averaged = found.filter(({ prefix }) => hasAveraged(prefix));
  const preferred = averaged.length > 0 ? averaged : found;
  const fitting = preferred.length > 1 ? preferred.filter(({ prefix }) => fits(tensors, prefix)) : [];
  const [candidate, ...others] = withoutRepeats(tensors, fitting.length > 0 ? fitting : preferred);
  if (candidate === undefined) return { prefix: '', stored: '' };
  if (others.length === 0) return candidate;
  throw new InputError(
    path,
    `holds several backbones (${listed([candidate, ...others])})`,
    `write the one that is meant into ${descriptionPath(path)}, as ${JSON.stringify({ prefix: candidate.stored })}, ` +
      'or save a state dict of it alone',
  );
}

function candidatesIn(tensors: Named): readonly Candidate[] {
  const found = new Map<string, Candidate>();
  for (const [name, entry] of tensors) {
    const at = firstLayerAt(name);
    if (at < 0) continue;
    const [prefix, layer] = [name.slice(0, at), name.slice(at)];
    const stored = entry.name.endsWith(layer) ? entry.name.slice(0, -layer.length) : prefix;
    if (!found.has(prefix)) found.set(prefix, { prefix, stored });
  }
  return [...found.values()];
}

/** Where the first layer's own name begins in a tensor's name; −1 where it is no first layer. */
function firstLayerAt(name: string): number {
  for (const layer of FIRST_LAYERS) {
    const at = name.search(layer);
    if (at >= 0) return name[at] === '.' ? at + 1 : at;
  }
  return -1;
}

function chosenOf(path: string, found: readonly Candidate[], chosen: string): Candidate {
  const wanted = chosen === '' || chosen.endsWith('.') ? chosen : `${chosen}.`;
  const candidate = found.find(({ prefix, stored }) => prefix === wanted || stored === wanted);
  if (candidate !== undefined) return candidate;
  throw new InputError(
    path,
    `has no backbone below ${JSON.stringify(wanted)}`,
    found.length === 0 ? 'leave the prefix out' : `choose one of ${listed(found)}`,
  );
}

const listed = (candidates: readonly Candidate[]): string =>
  candidates.map(({ stored }) => JSON.stringify(stored)).join(', ');

/** Whether what lies below a prefix is of a known architecture. */
function fits(tensors: Named, prefix: string): boolean {
  const part = partOf(tensors, prefix);
  const shapes = new Map([...part].map(([name, { shape }]) => [name, shape]));
  return layoutOf(part.keys()) !== undefined || recogniseShapes(shapes) !== undefined;
}

/** Candidates without those whose tensors are the very bytes of another's, as where a module has two names. */
function withoutRepeats(tensors: Named, candidates: readonly Candidate[]): readonly Candidate[] {
  const places = new Map<string, Candidate>();
  for (const candidate of candidates) {
    const part = [...partOf(tensors, candidate.prefix)].map(
      ([name, { byteOffset }]) => `${name} ${byteOffset}`,
    );
    const place = part.sort().join('\n');
    if (!places.has(place)) places.set(place, candidate);
  }
  return [...places.values()];
}

function partOf(tensors: Named, prefix: string): Named {
  if (prefix === '') return tensors;
  return new Map(
    [...tensors].flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor] as const] : [],
    ),
  );
}
