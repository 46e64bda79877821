import { type Operation, operationOf, type Tensor } from '../graph/operator.ts';
import { sizeOf } from '../graph/shape.ts';
import { operationsBefore } from '../graph/traverse.ts';

/** What is worth computing in tiles, in elements. */
export interface TileSizes {
  /** Smaller tensors stay in the processor's cache by themselves. */
  readonly least: number;
  /** Longest tile: all that a chain of operations has at hand at once must fit the processor's cache. */
  readonly tile: number;
}

/** With fewer operations the intermediate values saved do not pay for the loop. */
const LEAST_OPERATIONS = 3;

/** A tile much shorter than allowed costs more in calls than the cache saves. */
const LEAST_SHARE = 1 / 8;

/** Elementwise operations that are computed together, one tile of all of them after another. */
export interface TiledRegion {
  /** Each after what it needs. */
  readonly operations: readonly Operation[];
  /** What comes from outside and is cut into tiles. */
  readonly inputs: readonly Tensor[];
  /** Single numbers that come from outside: the same for every tile. */
  readonly scalars: readonly Tensor[];
  /** What is needed outside. */
  readonly outputs: readonly Tensor[];
  /** Number of tiles and elements of each. */
  readonly tiles: readonly [count: number, length: number];
}

interface Group {
  readonly size: number;
  readonly members: ReadonlySet<Operation>;
  /** Whether an operation outside takes something from the group: only then can anything depend on it. */
  leaves: boolean;
}

/**
 * Finds chains of elementwise operations over large tensors: AdamW's eleven passes over weights, gradients and
 * moments, the derivatives of GELU and SiLU, dropout, residual sums. Operation by operation, each would stream
 * whole tensors through memory; in tiles, only what enters and leaves a chain does.
 *
 * A group takes an operation in when one of its inputs comes from the group, all its inputs are as large as its
 * output or single numbers, and nothing else it needs depends on the group: a group runs as a whole. Its number
 * of elements must have a divisor of a tile's length.
 */
export function tiledRegions(
  outputs: readonly Tensor[],
  sizes: TileSizes,
): ReadonlyMap<Operation, TiledRegion> {
  const order = operationsBefore(outputs);
  const groups = new Map<Operation, Group>();
  for (const operation of order) {
    if (isTileable(operation, sizes)) join(operation, groups);
    for (const group of groupsBefore(operation, groups)) {
      if (group !== groups.get(operation)) group.leaves = true;
    }
  }
  const outside = usedOutside(order, outputs, groups);
  const regions = new Map<Operation, TiledRegion>();
  for (const group of new Set(groups.values())) {
    if (group.members.size < LEAST_OPERATIONS) continue;
    const region = regionOf(group, order, outside, sizes);
    for (const operation of group.members) regions.set(operation, region);
  }
  return regions;
}

function isTileable({ operator, inputs, outputs: [output] }: Operation, sizes: TileSizes): boolean {
  if (!operator.elementwise || output === undefined) return false;
  const size = sizeOf(output.shape);
  const fits = inputs.every(({ shape }) => sizeOf(shape) === size || sizeOf(shape) === 1);
  return size >= sizes.least && fits && tileLength(size, sizes) >= sizes.tile * LEAST_SHARE;
}

/** The largest divisor of `size` that is no longer than a tile. */
function tileLength(size: number, { tile }: TileSizes): number {
  for (let count = Math.ceil(size / tile); count <= size; count++) {
    if (size % count === 0) return size / count;
  }
  return 1;
}

function join(operation: Operation, groups: Map<Operation, Group>): void {
  const size = sizeOf((operation.outputs[0] as Tensor).shape);
  const neighbours = [...groupsBefore(operation, groups)].filter((group) => group.size === size);
  const alone = neighbours.map((group) => [group]);
  const chosen = [neighbours, ...alone].find((candidates) => mayMerge(operation, candidates, groups)) ?? [];
  const members = new Set([...chosen.flatMap((group) => [...group.members]), operation]);
  const merged: Group = { size, members, leaves: chosen.some((group) => group.leaves) };
  for (const member of members) groups.set(member, merged);
}

const groupsBefore = (operation: Operation, groups: ReadonlyMap<Operation, Group>): ReadonlySet<Group> =>
  new Set(producersOf(operation).flatMap((producer) => groups.get(producer) ?? []));

/** Whether nothing that comes from outside into `operation` and the groups depends on them. */
function mayMerge(
  operation: Operation,
  candidates: readonly Group[],
  groups: ReadonlyMap<Operation, Group>,
): boolean {
  if (candidates.every((group) => !group.leaves)) return true;
  const inside = new Set(candidates.flatMap((group) => [...group.members]));
  inside.add(operation);
  const seen = new Set<Operation | Group>();
  const stack = [...inside].flatMap(producersOf).filter((producer) => !inside.has(producer));
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (inside.has(next)) return false;
    // A group waits for all that any of its members needs.
    const group = groups.get(next);
    const unit = group ?? next;
    if (seen.has(unit)) continue;
    seen.add(unit);
    for (const member of group?.members ?? [next]) stack.push(...producersOf(member));
  }
  return true;
}

const producersOf = ({ inputs }: Operation): Operation[] => inputs.flatMap((x) => operationOf(x) ?? []);

/** Tensors that are results, or inputs of an operation of another group or none. */
function usedOutside(
  order: readonly Operation[],
  outputs: readonly Tensor[],
  groups: ReadonlyMap<Operation, Group>,
): ReadonlySet<Tensor> {
  const used = new Set(outputs);
  for (const operation of order) {
    const group = groups.get(operation);
    for (const x of operation.inputs) {
      const producer = operationOf(x);
      if (producer && (group === undefined || groups.get(producer) !== group)) used.add(x);
    }
  }
  return used;
}

function regionOf(
  { size, members }: Group,
  order: readonly Operation[],
  outside: ReadonlySet<Tensor>,
  sizes: TileSizes,
): TiledRegion {
  const operations = order.filter((operation) => members.has(operation));
  const entering = new Set(operations.flatMap(({ inputs }) => inputs));
  const given = [...entering].filter((x) => !members.has(operationOf(x) as Operation));
  const length = tileLength(size, sizes);
  return {
    operations,
    inputs: given.filter(({ shape }) => sizeOf(shape) === size),
    scalars: given.filter(({ shape }) => sizeOf(shape) === 1),
    outputs: operations.flatMap(({ outputs }) => outputs).filter((tensor) => outside.has(tensor)),
    tiles: [size / length, length],
  };
}
