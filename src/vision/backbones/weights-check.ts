import { InputError } from '../../ground/errors.ts';
import { randomStream } from '../../ground/random.ts';
import { input, type Parameter, Scope } from '../../tensor/index.ts';
import type { Backbone, Size } from './backbone.ts';

/** The least size to try an architecture with that takes any. */
const PROBE = 64;

/** Up to this many, names are listed one by one; beyond, numbered ones are drawn together. */
const LISTED_ONE_BY_ONE = 20;

/** Heads for classes that a backbone has none of, counters of batch norms, and buffers that are recomputed. */
const OF_NO_USE = [
  /^(head\.(fc\.)?|head_dist\.|classifier\.|fc\.)(weight|bias)$/,
  /(^|\.)num_batches_tracked$/,
  /^mask_token$/,
  /^rope(_embed)?\.periods$/,
  /(^|\.)(relative_coords_table|relative_position_index|attn_mask)$/,
];

const isOfNoUse = (name: string): boolean => OF_NO_USE.some((pattern) => pattern.test(name));

/** Every parameter of a backbone, with the statistics of batch norms (not trainable); no values are made. */
export function backboneParameters(backbone: Backbone): readonly Parameter[] {
  const { native, multipleOf } = backbone.inputSize;
  const side = Math.ceil(PROBE / multipleOf) * multipleOf;
  const [height, width]: Size = native ?? [side, side];
  const scope = Scope.root({ random: randomStream(0) });
  backbone.forward(scope, input('images', [1, 3, height, width]));
  return scope.parameters;
}

/** Names and shapes of a file's tensors. */
export interface NamedShapes {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>;
}

/**
 * Makes sure that a file holds exactly the weights of a backbone. Heads for classes may be there too.
 *
 * @throws InputError naming the file, and every missing, unexpected and misshapen tensor
 */
export function checkWeights(backbone: Backbone, file: NamedShapes): void {
  const wanted = new Map(backboneParameters(backbone).map(({ name, shape }) => [name, shape]));
  const problems = tensorProblems(wanted, file.tensors);
  if (problems.length === 0) return;
  throw new InputError(
    file.path,
    `these are not the weights of this ${backbone.arch}: ${problems.join('; ')}`,
    'choose the architecture and configuration the file is for, or the file for them',
  );
}

/**
 * What is missing, unexpected or misshapen among tensors, in words; what backbones have no use for may be there too.
 *
 * @param wanted shapes by name
 */
export function tensorProblems(
  wanted: ReadonlyMap<string, readonly number[]>,
  found: NamedShapes['tensors'],
): string[] {
  const missing = [...wanted.keys()].filter((name) => !found.has(name));
  const unexpected = [...found.keys()].filter((name) => !wanted.has(name) && !isOfNoUse(name));
  const misshapen = [...wanted].flatMap(([name, shape]) => {
    const entry = found.get(name);
    if (entry === undefined || String(entry.shape) === String(shape)) return [];
    return [`${name} [${entry.shape.join(', ')}] for [${shape.join(', ')}]`];
  });
  return [
    listed('missing', missing),
    listed('unexpected', unexpected),
    listed('misshapen', misshapen),
  ].filter((problem) => problem !== '');
}

function listed(kind: string, names: readonly string[]): string {
  if (names.length === 0) return '';
  const shown = names.length > LISTED_ONE_BY_ONE ? drawnTogether(names) : names;
  return `${names.length} ${kind} (${shown.join(', ')})`;
}

/** Names that differ in their first number only as one, with the numbers: `blocks.{0,1,2}.norm1.weight`. */
function drawnTogether(names: readonly string[]): string[] {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const number = /\.(\d+)\./.exec(name)?.[1];
    const pattern = number === undefined ? name : name.replace(/\.\d+\./, '.{}.');
    groups.set(pattern, [...(groups.get(pattern) ?? []), ...(number === undefined ? [] : [number])]);
  }
  return [...groups].map(([pattern, numbers]) => {
    const inside = numbers.length === 1 ? (numbers[0] as string) : `{${ranges(numbers.map(Number))}}`;
    return pattern.replace('{}', inside);
  });
}

/** `0–3,5` for 0, 1, 2, 3, 5. */
function ranges(numbers: readonly number[]): string {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  const parts: [number, number][] = [];
  for (const number of sorted) {
    const last = parts.at(-1);
    if (last !== undefined && number === last[1] + 1) last[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join();
}
