import { openSafetensors } from '../../formats/safetensors/index.ts';
import { openTorchCheckpoint, requireReadable } from '../../formats/torch-checkpoint/index.ts';
import { InputError } from '../../ground/errors.ts';
import type { StoredTensor } from './map-tensors.ts';

/** A file of weights, of whatever kind, whose tensors have been looked at. */
export interface StoredWeights {
  readonly path: string;
  /** Identifies the file as it was when opened. */
  readonly version: string;
  /** Whether ONNX Runtime can take tensors from the file where they lie. */
  readonly isInPlace: boolean;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** Endings of files that `torch.save` writes. */
const TORCH = /\.(pth|pt|bin|ckpt|pth\.tar)$/i;

/** By one of these a backbone is found among other parts of a model: the first layer of every layout. */
const FIRST_LAYERS = /(?:^|\.)(?:patch_embed\.proj|stem\.0|_?conv_stem|downsample_layers\.0\.0)\.weight$/;

/** Of several copies of a backbone, those that are there to be used. */
const PREFERRED = /(^|\.)(teacher|ema|model_ema)\./;

/** @throws InputError when the file is missing, damaged, or of a kind that is not read */
export async function openWeights(path: string): Promise<StoredWeights> {
  if (TORCH.test(path)) {
    const checkpoint = await openTorchCheckpoint(path);
    const prefix = backbonePrefix(path, [...checkpoint.tensors.keys()]);
    const isInside = (name: string): boolean => name.startsWith(prefix);
    requireReadable(checkpoint, [...checkpoint.unreadable.keys()].filter(isInside));
    return { ...checkpoint, isInPlace: false, tensors: partOf(checkpoint.tensors, prefix) };
  }
  if (/\.(onnx|npz|h5)$/i.test(path)) {
    throw new InputError(path, 'is not a file of safetensors or PyTorch', 'download the model.safetensors');
  }
  return { ...(await openSafetensors(path)), isInPlace: true };
}

/** Whether a backbone is among tensors of these names. */
export function holdsBackbone(names: Iterable<string>): boolean {
  for (const name of names) if (FIRST_LAYERS.test(name)) return true;
  return false;
}

/**
 * What the names of a backbone's tensors begin with in a model that has other parts too: `backbone.`, or nothing.
 *
 * @throws InputError when there are several backbones
 */
export function backbonePrefix(path: string, names: readonly string[]): string {
  const prefixes = [
    ...new Set(
      names.flatMap((name) => {
        const at = name.search(FIRST_LAYERS);
        return at < 0 ? [] : [name.slice(0, name[at] === '.' ? at + 1 : at)];
      }),
    ),
  ];
  const preferred = prefixes.filter((prefix) => PREFERRED.test(prefix));
  const [prefix = '', other] = preferred.length > 0 ? preferred : prefixes;
  if (other === undefined) return prefix;
  throw new InputError(
    path,
    `holds several backbones (${prefixes.map((found) => `"${found}"`).join(', ')})`,
    'save a state dict of the one that is meant',
  );
}

function partOf<T extends StoredTensor>(
  tensors: ReadonlyMap<string, T>,
  prefix: string,
): ReadonlyMap<string, T> {
  if (prefix === '') return tensors;
  const part = [...tensors.values()].filter(({ name }) => name.startsWith(prefix));
  return new Map(
    part.map((tensor) => [
      tensor.name.slice(prefix.length),
      { ...tensor, name: tensor.name.slice(prefix.length) },
    ]),
  );
}
