import { ARRAY_TYPES, type SafetensorsDtype } from '../tensors/dtypes.ts';
import { spelledOut } from '../tensors/wording.ts';
import { isKind, opaque, type PickleDict, type PickleTensor, type PickleValue } from './pickle-values.ts';

/**
 * Element types with PyTorch's names, and the first part of the class name of the storage they have, if any
 * (`FloatStorage`).
 */
const ELEMENTS: readonly (readonly [SafetensorsDtype, names: readonly string[], storage?: string])[] = [
  ['F64', ['float64', 'double'], 'Double'],
  ['F32', ['float32', 'float'], 'Float'],
  ['F16', ['float16', 'half'], 'Half'],
  ['BF16', ['bfloat16'], 'BFloat16'],
  ['F8_E4M3', ['float8_e4m3fn']],
  ['F8_E5M2', ['float8_e5m2']],
  ['F8_E8M0', ['float8_e8m0fnu']],
  ['F8_E4M3FNUZ', ['float8_e4m3fnuz']],
  ['F8_E5M2FNUZ', ['float8_e5m2fnuz']],
  ['I64', ['int64', 'long'], 'Long'],
  ['I32', ['int32', 'int'], 'Int'],
  ['I16', ['int16', 'short'], 'Short'],
  ['I8', ['int8'], 'Char'],
  ['U64', ['uint64']],
  ['U32', ['uint32']],
  ['U16', ['uint16']],
  ['U8', ['uint8'], 'Byte'],
  ['BOOL', ['bool'], 'Bool'],
];

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
  ['torch.Size', ([items]) => (isKind(items, 'tuple') ? items : undefined)],
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
  if (!isKind(callee, 'global')) return opaque('an object');
  const given = isKind(args, 'tuple') ? args.items : [];
  const made = MAKERS.get(callee.name)?.(given);
  return made ?? opaque(`an object of ${spelledOut(callee.name)}`, MAKES_TENSORS.test(callee.name));
}

/**
 * What a persistent id stands for: `('storage', class, key, location, elements)` a storage, others nothing known. Before
 * PyTorch 1.6 a sixth member was a part of another storage, or None.
 */
export function persistentValue(id: PickleValue): PickleValue {
  const [kind, storageClass, key, , count, part = null] = isKind(id, 'tuple') ? id.items : [];
  const known =
    kind === 'storage' && part === null && isKind(storageClass, 'global') && typeof key === 'string';
  if (!known || !isCount(count)) return opaque('an unknown reference');
  const element = /^torch\.(?:cuda\.|storage\.)?_?(\w+)Storage$/.exec(storageClass.name)?.[1] ?? '';
  // Bytes until a tensor says otherwise, as in PyTorch.
  if (element === 'Untyped') return { kind: 'storage', key, dtype: 'U8', byteLength: count };
  if (element === 'Typed') return { kind: 'storage', key, dtype: null, byteLength: count };
  const [dtype] = ELEMENTS.find(([, , storage]) => storage === element) ?? [];
  if (dtype === undefined) return opaque(`a storage of ${spelledOut(storageClass.name)}`);
  return { kind: 'storage', key, dtype, byteLength: count * ARRAY_TYPES[dtype].BYTES_PER_ELEMENT };
}

/** Mappings are made empty and filled by later instructions. */
function emptyMapping(items: readonly PickleValue[]): PickleDict | undefined {
  return items.length === 0 ? { kind: 'dict' } : undefined;
}

function tensorOf(
  storage: PickleValue | undefined,
  [offset, size, stride]: readonly PickleValue[],
  stated?: PickleValue,
): PickleTensor | undefined {
  if (!isKind(storage, 'storage') || !isCount(offset)) return undefined;
  const shape = countsOf(size);
  const strides = countsOf(stride);
  const dtype = stated === undefined ? storage.dtype : dtypeOf(stated);
  if (shape === undefined || strides === undefined || !dtype) return undefined;
  return { kind: 'tensor', storage, dtype, offset, shape, strides };
}

function sameTensor(data: PickleValue | undefined): PickleValue | undefined {
  return isKind(data, 'tensor') || isKind(data, 'opaque') ? data : undefined;
}

function dtypeOf(value: PickleValue): SafetensorsDtype | undefined {
  const name = isKind(value, 'global') ? value.name.replace(/^torch\./, '') : '';
  return ELEMENTS.find(([, names]) => names.includes(name))?.[0];
}

function countsOf(value: PickleValue | undefined): number[] | undefined {
  if (!(isKind(value, 'tuple') || isKind(value, 'list'))) return undefined;
  // Many calls may share one tuple, so that its length must not count each time.
  if (value.items.length > MAX_AXES) return undefined;
  const counts: number[] = [];
  for (const item of value.items) if (isCount(item)) counts.push(item);
  return counts.length === value.items.length ? counts : undefined;
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
