import { type Operation, operationOf, type Tensor } from '../graph/operator.ts';
import { largestDivisor, type Shape, sameShape, sizeOf } from '../graph/shape.ts';
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

/** Planes shorter than this are not worth a loop over them within a tile. */
const LEAST_PLANE = 32;

/** A tile much shorter than allowed costs more in calls than the cache saves. */
const LEAST_SHARE = 1 / 8;

/** Elementwise operations that are computed together, one tile of all of them after another. */
export interface TiledRegion {
  /** Each after what it needs. */
  readonly operations: readonly Operation[];
  /** What comes from outside and is cut into tiles. */
  readonly inputs: readonly Tensor[];
  /** Numbers of whole planes that come from outside, as of a channel: cut with the planes. */
  readonly levels: readonly Level[];
  /** Single numbers that come from outside: the same for every tile. */
  readonly scalars: readonly Tensor[];
  /** What is needed outside. */
  readonly outputs: readonly Tensor[];
  /** Number of tiles, planes of each, and elements of each plane. */
  readonly tiles: Tiles;
}

type Tiles = readonly [count: number, planes: number, length: number];

/** A tensor with one number for a whole plane, and how its numbers repeat: the list of all, each so many times. */
export interface Level {
  readonly tensor: Tensor;
  readonly lists: number;
  readonly times: number;
}

interface Group {
  readonly size: number;
  /** Length over which everything that is not as large as the output stays the same. */
  readonly plane: number;
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
 * output, single numbers, or numbers of whole planes (of a channel's map, as in batch normalisation and its
 * gradient; of a token, as in layer normalisation's), and nothing else it needs depends on the group: a group runs
 * as a whole. Its number of elements must have a divisor of a tile's length, and so must its planes.
 */
export function tiledRegions(
  outputs: readonly Tensor[],
  sizes: TileSizes,
): ReadonlyMap<Operation, TiledRegion> {
  const order = operationsBefore(outputs);
  const groups = new Map<Operation, Group>();
  for (const operation of order) {
    if (isTileable(operation, sizes)) join(operation, groups, sizes);
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
  return size >= sizes.least && isWorthwhile(size, planeOf(inputs, output.shape), sizes);
}

function isWorthwhile(size: number, plane: number, sizes: TileSizes): boolean {
  const [, planes, length] = tilesOf(size, plane, sizes);
  return (plane === size || length >= LEAST_PLANE) && planes * length >= sizes.tile * LEAST_SHARE;
}

/** The length over which all operands that are smaller than the output stay the same; that of the output if none. */
const planeOf = (inputs: readonly Tensor[], shape: Shape): number =>
  inputs.reduce((plane, x) => commonDivisor(plane, heldFor(x.shape, shape)), sizeOf(shape));

/** How many elements of the output in a row meet the same number of an operand; all where it is as large. */
function heldFor(shape: Shape, output: Shape): number {
  if (sizeOf(shape) === sizeOf(output) || sizeOf(shape) === 1) return sizeOf(output);
  const [first, last] = axesOf(shape, output);
  const repeats = shape.slice(first - output.length, last - output.length || undefined);
  // Only where the numbers lie in the order of the planes.
  return sameShape(repeats, output.slice(first, last)) ? sizeOf(output.slice(last)) : 1;
}

/** Of the output's axes, those along which an operand changes: from the first to behind the last. */
function axesOf(shape: Shape, output: Shape): readonly [first: number, last: number] {
  const added = output.length - shape.length;
  const changing = shape.flatMap((length, axis) => (length > 1 ? [axis + added] : []));
  return [changing[0] ?? 0, (changing.at(-1) ?? -1) + 1];
}

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b));

/** Tiles of as many planes, or as much of one, as are no longer than allowed. */
function tilesOf(size: number, plane: number, { tile }: TileSizes): Tiles {
  const length = largestDivisor(plane, tile);
  const planes = largestDivisor(size / length, Math.floor(tile / length));
  return [size / length / planes, planes, length];
}

function join(operation: Operation, groups: Map<Operation, Group>, sizes: TileSizes): void {
  const { shape } = operation.outputs[0] as Tensor;
  const size = sizeOf(shape);
  const own = planeOf(operation.inputs, shape);
  const planeWith = (candidates: readonly Group[]): number =>
    candidates.reduce((plane, group) => commonDivisor(plane, group.plane), own);
  const neighbours = [...groupsBefore(operation, groups)].filter((group) => group.size === size);
  const alone = neighbours.map((group) => [group]);
  const chosen =
    [neighbours, ...alone].find(
      (candidates) =>
        isWorthwhile(size, planeWith(candidates), sizes) && mayMerge(operation, candidates, groups),
    ) ?? [];
  const members = new Set([...chosen.flatMap((group) => [...group.members]), operation]);
  const merged: Group = {
    size,
    plane: planeWith(chosen),
    members,
    leaves: chosen.some((group) => group.leaves),
  };
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
  { size, plane, members }: Group,
  order: readonly Operation[],
  outside: ReadonlySet<Tensor>,
  sizes: TileSizes,
): TiledRegion {
  const operations = order.filter((operation) => members.has(operation));
  const entering = new Set(operations.flatMap(({ inputs }) => inputs));
  const given = [...entering].filter((x) => !members.has(operationOf(x) as Operation));
  const tiles = tilesOf(size, plane, sizes);
  const shape = operations[0]?.outputs[0]?.shape ?? [];
  const isLevel = (x: Tensor): boolean => sizeOf(x.shape) !== size && sizeOf(x.shape) !== 1;
  return {
    operations,
    inputs: given.filter(({ shape }) => sizeOf(shape) === size),
    levels: given.filter(isLevel).map((tensor) => {
      const times = heldFor(tensor.shape, shape) / tiles[2];
      return { tensor, times, lists: size / (sizeOf(tensor.shape) * times * tiles[2]) };
    }),
    scalars: given.filter((x) => sizeOf(x.shape) === 1),
    outputs: operations.flatMap(({ outputs }) => outputs).filter((tensor) => outside.has(tensor)),
    tiles,
  };
}
