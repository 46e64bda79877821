import { ARRAY_TYPES, type SafetensorsDtype } from '../tensors/dtypes.ts';
import {
  PickleDict,
  PickleGlobal,
  PickleList,
  PickleOpaque,
  PickleStorage,
  PickleTensor,
  PickleTuple,
  type PickleValue,
} from './pickle-values.ts';

/** PyTorch's names of element types. */
const DTYPES: ReadonlyMap<string, SafetensorsDtype> = new Map([
  ['float64', 'F64'],
  ['double', 'F64'],
  ['float32', 'F32'],
  ['float', 'F32'],
  ['float16', 'F16'],
  ['half', 'F16'],
  ['bfloat16', 'BF16'],
  ['float8_e4m3fn', 'F8_E4M3'],
  ['float8_e5m2', 'F8_E5M2'],
  ['int64', 'I64'],
  ['long', 'I64'],
  ['int32', 'I32'],
  ['int', 'I32'],
  ['int16', 'I16'],
  ['short', 'I16'],
  ['int8', 'I8'],
  ['uint64', 'U64'],
  ['uint32', 'U32'],
  ['uint16', 'U16'],
  ['uint8', 'U8'],
  ['bool', 'BOOL'],
]);

/** Element types by the first part of the class names of storages that have one (`FloatStorage`). */
const STORAGES: ReadonlyMap<string, SafetensorsDtype> = new Map([
  ['Double', 'F64'],
  ['Float', 'F32'],
  ['Half', 'F16'],
  ['BFloat16', 'BF16'],
  ['Long', 'I64'],
  ['Int', 'I32'],
  ['Short', 'I16'],
  ['Char', 'I8'],
  ['Byte', 'U8'],
  ['Bool', 'BOOL'],
]);

/** As many axes as NumPy allows, and more than PyTorch. */
const MAX_AXES = 64;

type Maker = (args: readonly PickleValue[]) => PickleValue | undefined;

/**
 * What the calls that state dicts are written with stand for; a maker that cannot use its arguments gives nothing.
 * `torch._utils._rebuild_tensor_v3` came with PyTorch 2.1 for element types that have no storage class.
 */
const MAKERS: ReadonlyMap<string, Maker> = new Map<string, Maker>([
  ['collections.OrderedDict', (args) => emptyMapping(args)],
  ['collections.defaultdict', ([, ...items]) => emptyMapping(items)],
  ['builtins.dict', (args) => emptyMapping(args)],
  ['torch.Size', ([items]) => (items instanceof PickleTuple ? items : undefined)],
  ['torch._utils._rebuild_tensor', ([storage, ...view]) => tensorOf(storage, view)],
  ['torch._utils._rebuild_tensor_v2', ([storage, ...view]) => tensorOf(storage, view)],
  ['torch._utils._rebuild_tensor_v3', ([storage, ...view]) => tensorOf(storage, view, view[5])],
  ['torch._utils._rebuild_parameter', ([data]) => sameTensor(data)],
  ['torch._utils._rebuild_parameter_with_state', ([data]) => sameTensor(data)],
]);

/** Functions whose result would be a tensor. */
const MAKES_TENSORS = /^torch\..*_rebuild_\w*(tensor|parameter|from_type|qtensor|wrapper)/;

/**
 * What calling a class or function would make. Nothing is ever called: the few that state dicts are written with are
 * known by name, all others stand for themselves.
 */
export function calledValue(callee: PickleValue | undefined, args: PickleValue | undefined): PickleValue {
  if (!(callee instanceof PickleGlobal)) return new PickleOpaque('an object');
  const given = args instanceof PickleTuple ? args.items : [];
  const made = MAKERS.get(callee.name)?.(given);
  return made ?? new PickleOpaque(`an object of ${callee.name}`, MAKES_TENSORS.test(callee.name));
}

/** What a persistent id stands for: `('storage', class, key, location, elements)` a storage, others nothing known. */
export function persistentValue(id: PickleValue): PickleValue {
  const [kind, storageClass, key, , count] = id instanceof PickleTuple ? id.items : [];
  const known = kind === 'storage' && storageClass instanceof PickleGlobal && typeof key === 'string';
  if (!known || !isCount(count)) return new PickleOpaque('an unknown reference');
  const element = /^torch\.(?:cuda\.|storage\.)?_?(\w+)Storage$/.exec(storageClass.name)?.[1] ?? '';
  // Bytes until a tensor says otherwise, as in PyTorch.
  if (element === 'Untyped') return new PickleStorage(key, 'U8', count);
  if (element === 'Typed') return new PickleStorage(key, null, count);
  const dtype = STORAGES.get(element);
  if (dtype === undefined) return new PickleOpaque(`a storage of ${storageClass.name}`);
  return new PickleStorage(key, dtype, count * ARRAY_TYPES[dtype].BYTES_PER_ELEMENT);
}

/** Mappings are made empty and filled by later instructions. */
function emptyMapping(items: readonly PickleValue[]): PickleDict | undefined {
  return items.length === 0 ? new PickleDict() : undefined;
}

function tensorOf(
  storage: PickleValue | undefined,
  [offset, size, stride]: readonly PickleValue[],
  stated?: PickleValue,
): PickleTensor | undefined {
  if (!(storage instanceof PickleStorage) || !isCount(offset)) return undefined;
  const shape = countsOf(size);
  const strides = countsOf(stride);
  const dtype = stated === undefined ? storage.dtype : dtypeOf(stated);
  if (shape === undefined || strides === undefined || !dtype) return undefined;
  return new PickleTensor(storage, dtype, offset, shape, strides);
}

function sameTensor(data: PickleValue | undefined): PickleValue | undefined {
  return data instanceof PickleTensor || data instanceof PickleOpaque ? data : undefined;
}

function dtypeOf(value: PickleValue): SafetensorsDtype | undefined {
  return value instanceof PickleGlobal ? DTYPES.get(value.name.replace(/^torch\./, '')) : undefined;
}

function countsOf(value: PickleValue | undefined): number[] | undefined {
  if (!(value instanceof PickleTuple || value instanceof PickleList)) return undefined;
  // Many calls may share one tuple, so that its length must not count each time.
  if (value.items.length > MAX_AXES) return undefined;
  const counts: number[] = [];
  for (const item of value.items) if (isCount(item)) counts.push(item);
  return counts.length === value.items.length ? counts : undefined;
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
