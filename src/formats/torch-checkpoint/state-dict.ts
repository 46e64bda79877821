import { isAveraged } from '../tensors/state-names.ts';
import {
  isKind,
  type PickleDict,
  type PickleOpaque,
  type PickleTensor,
  type PickleValue,
} from './pickle-values.ts';

/**
 * Where training scripts put the state dict. Averaged weights come before all of these, as in timm: where a checkpoint
 * has them, they are what it was validated with. Of DINO's two networks the teacher is the one to use.
 */
const PLACES = [
  'state_dict',
  'model_state_dict',
  'model_state',
  'model',
  'network',
  'net',
  'weights',
  'module',
] as const;

/** `{'state': {'model': {'state_dict': …}}}` is as deep as it gets. */
const DEEPEST = 3;

/** Parts of a network that some scripts save beside `model`. */
const BESIDE = /^(heads?|head_.+|classifier|regressor|neck|film)$/i;

/** Mappings of tensors that are none of a network's. */
const NOT_WEIGHTS = /optim|sched|scaler|callbacks|loops|hyper_?param|hparams|rng/i;

/** Far above any model; bounds the time that mappings which hold each other many times over can take. */
const MOST_TENSORS = 1_000_000;

/** Tensors by name, whatever of them turns out to be of use, and where they were. */
export interface StateDict {
  /** Keys that lead to it from the top: `model`, or none. */
  readonly within: readonly string[];
  /** In the file's order; those of mappings inside it below the mapping's key. Opaque ones would have been tensors. */
  readonly members: ReadonlyMap<string, PickleTensor | PickleOpaque>;
}

/** The state dict in what a checkpoint holds; undefined where it has none. */
export function findStateDict(value: PickleValue): StateDict | undefined {
  let found = value;
  const within: string[] = [];
  const search = new Search();
  while (isKind(found, 'dict') && within.length < DEEPEST) {
    const { entries }: PickleDict = found;
    const depth = DEEPEST - within.length;
    const keys = [...(entries?.keys() ?? [])].filter((key) => typeof key === 'string');
    const holds = (key: string): boolean => search.holdsTensors(entries?.get(key), depth);
    const averaged = keys.find((key) => isAveraged(key) && holds(key));
    const place = averaged ?? PLACES.find((name) => entries?.has(name) && holds(name));
    if (place === undefined) break;
    const parts = averaged === undefined && keys.some((key) => BESIDE.test(key) && holds(key));
    // Its parts lie side by side: `model` is one of them.
    if (parts) break;
    within.push(place);
    found = entries?.get(place) ?? null;
  }
  if (!isKind(found, 'dict')) return undefined;
  const members = search.tensorsIn(found, DEEPEST);
  return members.size === 0 ? undefined : { within, members };
}

/** What is known of mappings, since they may hold each other many times over. */
class Search {
  readonly #own = new Map<PickleDict, boolean>();
  /** Of each mapping the depth to which it was searched in vain. */
  readonly #empty = new Map<PickleDict, number>();

  /** Whether a value is a mapping that has tensors, itself or in mappings inside it. */
  holdsTensors(value: PickleValue | undefined, depth: number): boolean {
    if (!isKind(value, 'dict') || depth === 0) return false;
    if (this.#hasOwn(value)) return true;
    if ((this.#empty.get(value) ?? 0) >= depth) return false;
    this.#empty.set(value, depth);
    const holds = inner(value).some(([, member]) => this.holdsTensors(member, depth - 1));
    if (holds) this.#empty.delete(value);
    return holds;
  }

  /** The tensors of a mapping and of mappings inside it, by their keys joined with dots. */
  tensorsIn(
    mapping: PickleDict,
    depth: number,
    prefix = '',
    members = new Map<string, PickleTensor | PickleOpaque>(),
  ): Map<string, PickleTensor | PickleOpaque> {
    for (const [name, member] of mapping.entries ?? []) {
      if (members.size >= MOST_TENSORS) break;
      if (typeof name === 'string' && isTensor(member)) members.set(`${prefix}${name}`, member);
    }
    for (const [name, member] of inner(mapping)) {
      if (members.size >= MOST_TENSORS) break;
      if (this.holdsTensors(member, depth - 1)) {
        this.tensorsIn(member, depth - 1, `${prefix}${name}.`, members);
      }
    }
    return members;
  }

  #hasOwn(mapping: PickleDict): boolean {
    const known = this.#own.get(mapping);
    if (known !== undefined) return known;
    const own = [...(mapping.entries?.values() ?? [])].some(isTensor);
    this.#own.set(mapping, own);
    return own;
  }
}

/** Mappings inside a mapping that may be parts of a network. */
function inner({ entries }: PickleDict): [name: string, member: PickleDict][] {
  return [...(entries ?? [])].flatMap(([name, member]): [string, PickleDict][] =>
    typeof name === 'string' && !NOT_WEIGHTS.test(name) && isKind(member, 'dict') ? [[name, member]] : [],
  );
}

function isTensor(value: PickleValue): value is PickleTensor | PickleOpaque {
  return isKind(value, 'tensor') || (isKind(value, 'opaque') && value.isTensor);
}
