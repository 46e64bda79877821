import { InputError } from '../../ground/errors.ts';
import { readBytes, withOpenFile } from '../../ground/positioned-file.ts';
import { contentKind, KIND_BYTES } from '../content-kind.ts';
import { openSafetensors } from '../safetensors/index.ts';
import type { TensorFile } from '../tensors/read.ts';
import { withoutWrappers } from '../tensors/state-names.ts';
import type { TensorEntry } from '../tensors/strided.ts';
import { openTorchCheckpoint } from '../torch-checkpoint/index.ts';

/** The state dict of a network, of whichever kind of file. */
export interface StateDictFile extends TensorFile {
  readonly kind: 'safetensors' | 'torch';
  /** Keys of the checkpoint that it was found under: `state_dict`, or none. */
  readonly within: readonly string[];
  /** In the file's order by names without wrappers; each entry's `name` is the one that the file has. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** What those are that would be tensors but cannot be read, by names without wrappers. */
  readonly unreadable: ReadonlyMap<string, string>;
  /** Whether all names are those that the file has. */
  readonly asStored: boolean;
}

/** Endings of files that `torch.save` writes. */
const TORCH = /\.(pth|pt|bin|ckpt|pth\.tar)$/i;

/** Kinds of content that are no weights in any form. */
const FOREIGN = /photo|picture|PDF|Excel|Office|NumPy|SQLite/;

/** Where a safetensors file's header begins, and with what. */
const HEADER_AT = 8;
const HEADER_START = '{'.charCodeAt(0);

/**
 * Opens a file of safetensors or of `torch.save`, whichever it is by its content, and takes wrappers off its names.
 *
 * @throws InputError when the file is missing, damaged, or of neither kind
 */
export async function openStateDict(path: string): Promise<StateDictFile> {
  if (!(await isTorch(path))) {
    const file = await openSafetensors(path);
    return renamed({ ...file, kind: 'safetensors', within: [], unreadable: new Map() });
  }
  return renamed({ ...(await openTorchCheckpoint(path)), kind: 'torch' });
}

function isTorch(path: string): Promise<boolean> {
  return withOpenFile(path, async ({ handle, byteLength }) => {
    const start = new Uint8Array(await readBytes(path, handle, 0, Math.min(KIND_BYTES, byteLength)));
    if (start[HEADER_AT] === HEADER_START) return false;
    const kind = contentKind(start);
    if (kind !== null && FOREIGN.test(kind)) {
      throw new InputError(
        path,
        `is ${kind}, not a file of weights`,
        'give a file of safetensors or torch.save',
      );
    }
    const isZip = start[0] === 0x50 && start[1] === 0x4b && start[2] === 3 && start[3] === 4;
    const isPickle = start[0] === 0x80;
    return isZip || isPickle || TORCH.test(path);
  });
}

function renamed(file: Omit<StateDictFile, 'asStored'>): StateDictFile {
  const { tensors, unreadable } = file;
  const names = withoutWrappers([...tensors.keys(), ...unreadable.keys()]);
  const of = <T>(members: ReadonlyMap<string, T>): ReadonlyMap<string, T> =>
    new Map(
      [...names].flatMap(([name, stored]) => {
        const member = members.get(stored);
        return member === undefined ? [] : [[name, member] as const];
      }),
    );
  const asStored = [...names].every(([name, stored]) => name === stored);
  const isWhole = names.size === tensors.size + unreadable.size;
  return { ...file, tensors: of(tensors), unreadable: of(unreadable), asStored: asStored && isWhole };
}
