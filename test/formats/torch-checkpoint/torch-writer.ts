import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Call, Global, Mapping, PersistentId, type Picklable, pickled, Tuple } from './pickle-writer.ts';
import { type CraftedEntry, type ZipOptions, zipBytes } from './zip-writer.ts';

const CLASSES = {
  F64: 'Double',
  F32: 'Float',
  F16: 'Half',
  BF16: 'BFloat16',
  I64: 'Long',
  U8: 'Byte',
  BOOL: 'Bool',
} as const;
const TORCH_TYPES = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  U8: 'uint8',
  BOOL: 'bool',
} as const;
const BYTES = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, U8: 1, BOOL: 1 } as const;

type Dtype = keyof typeof CLASSES;

/** The bytes that tensors are views of; tensors with the same one share it. */
export interface Storage {
  readonly bytes: Uint8Array;
}

/** A tensor to be saved; what is given is written as it stands, true or not. */
export interface TensorToSave {
  readonly storage: Storage;
  readonly shape: readonly number[];
  readonly dtype?: Dtype;
  /** Default: row by row. */
  readonly strides?: readonly number[];
  readonly offset?: number;
  /**
   * `typed`: as PyTorch writes all common types; `untyped`: `_rebuild_tensor_v3`, with which PyTorch 2 writes types
   * that have no storage class; `bytes`: a view of an untyped storage.
   */
  readonly form?: 'typed' | 'untyped' | 'bytes';
  readonly isParameter?: boolean;
  /** Elements stated for the storage. */
  readonly statedCount?: number;
  /** The storage's key. */
  readonly key?: string;
}

/** A tensor of float32 values, row by row. */
export function floats(values: Iterable<number>, shape: readonly number[]): TensorToSave {
  return { storage: { bytes: new Uint8Array(Float32Array.from(values).buffer) }, shape };
}

export interface TorchFileOptions extends ZipOptions {
  readonly protocol?: 2 | 4;
  /** The folder inside the archive. */
  readonly folder?: string;
  /** Content of `byteorder`; null: none, as before PyTorch 2.1. */
  readonly byteorder?: string | null;
  /** Last change of the entries. */
  readonly change?: (entries: readonly CraftedEntry[]) => readonly CraftedEntry[];
}

/** The bytes of a file as `torch.save` writes them, of whatever `content` makes with the tensors it gets saved. */
export function torchBytes(
  content: (save: (tensor: TensorToSave) => Picklable) => Picklable,
  { protocol = 2, folder = 'archive', byteorder = null, change, ...zip }: TorchFileOptions = {},
): Buffer {
  const storages = new Map<Storage, string>();
  const value = content((tensor) => {
    const key = storages.get(tensor.storage) ?? String(storages.size);
    storages.set(tensor.storage, key);
    return savedTensor(tensor, tensor.key ?? key);
  });
  const entries: CraftedEntry[] = [
    { name: `${folder}/data.pkl`, content: pickled(value, protocol) },
    ...(byteorder === null ? [] : [{ name: `${folder}/byteorder`, content: Buffer.from(byteorder) }]),
    ...Array.from(storages, ([{ bytes }, key]) => ({ name: `${folder}/data/${key}`, content: bytes })),
    { name: `${folder}/version`, content: Buffer.from('3\n') },
  ];
  return zipBytes(change?.(entries) ?? entries, zip);
}

/** Saves a state dict as an OrderedDict, which `wrap` puts into something bigger. */
export function saveStateDict(
  path: string,
  tensors: Readonly<Record<string, TensorToSave>>,
  wrap: (stateDict: Picklable) => Picklable = (stateDict) => stateDict,
  options: TorchFileOptions = {},
): string {
  mkdirSync(dirname(path), { recursive: true });
  const bytes = torchBytes(
    (save) =>
      wrap(
        new Mapping(
          Object.entries(tensors).map(([name, tensor]) => [name, save(tensor)] as const),
          true,
        ),
      ),
    options,
  );
  writeFileSync(path, bytes);
  return path;
}

function savedTensor(tensor: TensorToSave, key: string): Picklable {
  const { storage, shape, dtype = 'F32', offset = 0, form = 'typed', isParameter = false } = tensor;
  const strides = tensor.strides ?? rowStrides(shape);
  const isTyped = form === 'typed';
  const count = tensor.statedCount ?? storage.bytes.byteLength / (isTyped ? BYTES[dtype] : 1);
  const storageClass = isTyped
    ? new Global('torch', `${CLASSES[dtype]}Storage`)
    : new Global('torch.storage', 'UntypedStorage');
  const view = [
    new PersistentId(new Tuple('storage', storageClass, key, 'cpu', count)),
    offset,
    new Tuple(...shape),
    new Tuple(...strides),
    isParameter,
    new Mapping([], true),
  ];
  const made =
    form === 'untyped'
      ? new Call(
          new Global('torch._utils', '_rebuild_tensor_v3'),
          new Tuple(...view, new Global('torch', TORCH_TYPES[dtype])),
        )
      : new Call(new Global('torch._utils', '_rebuild_tensor_v2'), new Tuple(...view));
  if (!isParameter) return made;
  return new Call(
    new Global('torch._utils', '_rebuild_parameter'),
    new Tuple(made, true, new Mapping([], true)),
  );
}

function rowStrides(shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, length) => product * length, 1));
}
