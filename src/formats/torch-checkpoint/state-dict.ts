import {
  isKind,
  type PickleDict,
  type PickleOpaque,
  type PickleTensor,
  type PickleValue,
} from './pickle-values.ts';

/**
 * Where training scripts put the state dict. Averaged weights come first, as in timm: where a checkpoint has them,
 * they are what it was validated with. Of DINO's two networks the teacher is the one to use.
 */
const PLACES = [
  'state_dict_ema',
  'ema_state_dict',
  'model_ema',
  'ema',
  'teacher',
  'state_dict',
  'model_state_dict',
  'model_state',
  'model',
  'network',
  'net',
  'weights',
  'module',
] as const;

/** Put in front of all names by wrappers: DataParallel, torch.compile, averaging. */
const WRAPPERS = ['module.', '_orig_mod.'] as const;

const MOST_WRAPPERS = 4;

/** `{'state': {'model': {'state_dict': …}}}` is as deep as it gets. */
const DEEPEST = 3;

/** Tensors by name, whatever of them turns out to be of use, and where they were. */
export interface StateDict {
  /** Keys that lead to it from the top: `model`, or none. */
  readonly within: readonly string[];
  /** In the file's order, without the prefix of wrappers; opaque ones would have been tensors. */
  readonly members: ReadonlyMap<string, PickleTensor | PickleOpaque>;
}

/** The state dict in what a checkpoint holds; undefined where it has none. */
export function findStateDict(value: PickleValue): StateDict | undefined {
  let found = value;
  const within: string[] = [];
  const scanned = new Map<PickleDict, boolean>();
  while (isKind(found, 'dict') && within.length < DEEPEST) {
    const { entries }: PickleDict = found;
    const depth = DEEPEST - within.length;
    const place = PLACES.find((name) => holdsTensors(entries?.get(name), depth, scanned));
    if (place === undefined) break;
    within.push(place);
    found = entries?.get(place) ?? null;
  }
  if (!isKind(found, 'dict')) return undefined;
  const members = new Map<string, PickleTensor | PickleOpaque>();
  for (const [name, member] of found.entries ?? []) {
    if (typeof name === 'string' && isTensor(member)) members.set(name, member);
  }
  return members.size === 0 ? undefined : { within, members: unwrapped(members) };
}

/**
 * Whether a value is a state dict, or holds one where they are put.
 *
 * @param scanned what is known of each mapping by itself, since mappings may hold each other many times over
 */
function holdsTensors(
  value: PickleValue | undefined,
  depth: number,
  scanned: Map<PickleDict, boolean>,
): boolean {
  if (!isKind(value, 'dict') || depth === 0) return false;
  let own = scanned.get(value);
  if (own === undefined) {
    own = [...(value.entries?.values() ?? [])].some(isTensor);
    scanned.set(value, own);
  }
  return own || PLACES.some((name) => holdsTensors(value.entries?.get(name), depth - 1, scanned));
}

function isTensor(value: PickleValue): value is PickleTensor | PickleOpaque {
  return isKind(value, 'tensor') || (isKind(value, 'opaque') && value.isTensor);
}

function unwrapped<T>(members: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  let names = [...members.keys()];
  let length = 0;
  for (let count = 0; count < MOST_WRAPPERS; count++) {
    const wrapper = WRAPPERS.find((prefix) => names.every((name) => name.startsWith(prefix)));
    if (wrapper === undefined) break;
    names = names.map((name) => name.slice(wrapper.length));
    length += wrapper.length;
  }
  return length === 0 ? members : new Map([...members].map(([name, member]) => [name.slice(length), member]));
}
