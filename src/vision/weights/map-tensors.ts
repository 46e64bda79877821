import type { SafetensorsDtype, TensorEntry } from '../../formats/safetensors/index.ts';
import type { TorchTensor } from '../../formats/torch-checkpoint/index.ts';
import { InputError } from '../../ground/errors.ts';
import { ARCHITECTURES, type Layout, type Rule } from '../backbones/index.ts';

/** A tensor as its file has it, under the name it has there. */
export type StoredTensor = TensorEntry | TorchTensor;

/** Rows (of the first axis longer than 1) of a tensor in the source file. */
export interface Piece {
  readonly source: StoredTensor;
  readonly firstRow: number;
  readonly rows: number;
}

/** A tensor under timm's name, made of the source's: pieces one after another, or their sum. */
export interface TargetTensor {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly pieces: readonly Piece[];
  readonly join: 'concatenate' | 'add';
}

/** The type that a tensor is converted to: ONNX Runtime computes with no 8-bit floats. */
export const convertedDtype = (dtype: SafetensorsDtype): SafetensorsDtype =>
  dtype.startsWith('F8_') ? 'F32' : dtype;

/** What is left out of any model: heads, text towers, mask tokens, what pre-training adds, buffers made anew. */
const OF_NO_USE =
  /(^|\.)(classifier|_fc|mask_token|text_model|logit_scale|logit_bias|cls_head|pooler)(\.|$)|(^|\.)(position_ids|inv_freq|relative_position_index|relative_coords_table|num_batches_tracked|rope_embed\.periods|attn\.qkv\.bias_mask)$|^(head|linear_head|local_cls_norm|norms\.\d+)\./;

const LISTED = 5;
const UNKNOWN_KIND =
  "the file is damaged or of an unknown kind: download it again, or give one in timm's layout";

/** The layout of another library that a file is in, and its prefix; undefined where it is none that is known. */
export function layoutOf(
  names: Iterable<string>,
): { readonly layout: Layout; readonly prefix: string } | undefined {
  const all = [...names];
  for (const layout of ARCHITECTURES.flatMap(({ layouts }) => layouts)) {
    const [first, ...others] = layout.marks;
    const marked = all.find((name) => first?.test(name));
    if (marked === undefined || first === undefined) continue;
    const prefix = marked.slice(0, marked.search(new RegExp(first.source.replace(/^\(\?:\^\|\\\.\)/, ''))));
    const bare = new Set(
      all.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length)),
    );
    if (others.every((mark) => [...bare].some((name) => mark.test(name)))) return { layout, prefix };
  }
  return undefined;
}

/**
 * The tensors under timm's names that a file in another layout holds, in the file's order.
 *
 * @throws InputError listing tensors that belong to nothing the layout knows
 */
export function mapTensors(
  path: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  { layout, prefix }: { readonly layout: Layout; readonly prefix: string },
): readonly TargetTensor[] {
  const bareNames = new Set([...tensors.keys()].map((name) => bare(name, prefix)));
  const rules = layout.rules(bareNames);
  const parts = new Map<string, { readonly piece: Piece; readonly rule: Rule }[]>();
  const unknown: string[] = [];
  for (const [full, entry] of tensors) {
    const name = bare(full, prefix);
    const suiting = rules.filter(({ from }) => from.test(name));
    if (suiting.length === 0 && !OF_NO_USE.test(full)) unknown.push(entry.name);
    for (const rule of suiting) {
      const target = name.replace(rule.from, rule.to);
      const piece = pieceOf(path, entry, rule);
      parts.set(target, [...(parts.get(target) ?? []), { piece, rule }]);
    }
  }
  if (unknown.length > 0) {
    const listed = unknown.slice(0, LISTED).join(', ');
    const more = unknown.length > LISTED ? ` and ${unknown.length - LISTED} more` : '';
    throw new InputError(
      path,
      `is in the layout of ${layout.title} but has unexpected tensors (${listed}${more})`,
      "give a file of the backbone alone, or one in timm's layout",
    );
  }
  return [...parts].map(([name, found]) => target(path, name, found));
}

/** The tensor of the source file that an element of a target comes from, by the name it has there. */
export function sourceOf({ shape, pieces }: TargetTensor, element: number): string {
  const rows = shape[rowAxis(shape)] ?? 1;
  const elements = shape.reduce((product, axis) => product * axis, 1);
  let row = Math.floor((element * rows) / elements);
  for (const { source, rows: own } of pieces) {
    if (row < own) return source.name;
    row -= own;
  }
  return pieces[0]?.source.name ?? '';
}

function bare(name: string, prefix: string): string {
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

/** Index of the axis rows are counted on: leading axes of length 1 do not move bytes. */
export function rowAxis(shape: readonly number[]): number {
  const axis = shape.findIndex((length) => length !== 1);
  return Math.max(axis, 0);
}

function pieceOf(path: string, source: StoredTensor, { rows }: Pick<Rule, 'rows'>): Piece {
  const all = source.shape[rowAxis(source.shape)] ?? 1;
  const [firstRow, count] = rows?.(all) ?? [0, all];
  if (Number.isInteger(firstRow) && Number.isInteger(count) && count >= 0 && firstRow + count <= all) {
    return { source, firstRow, rows: count };
  }
  throw new InputError(
    `${path} tensor "${source.name}"`,
    `has ${all} rows, which cannot be split`,
    UNKNOWN_KIND,
  );
}

/** Tensors as they are, under the names they are given by. */
export function asTheyAre(path: string, tensors: ReadonlyMap<string, StoredTensor>): readonly TargetTensor[] {
  return Array.from(tensors, ([name, source]) => ({
    name,
    dtype: convertedDtype(source.dtype),
    shape: source.shape,
    pieces: [pieceOf(path, source, {})],
    join: 'concatenate',
  }));
}

function target(
  path: string,
  name: string,
  found: readonly { readonly piece: Piece; readonly rule: Rule }[],
): TargetTensor {
  const sorted = [...found].sort((a, b) => (a.rule.order ?? 0) - (b.rule.order ?? 0));
  const pieces = sorted.map(({ piece }) => piece);
  const [first] = sorted;
  if (first === undefined) throw new InputError(path, `nothing makes up ${name}`, 'give another file');
  const { source } = first.piece;
  const again = sorted.find(({ rule }, index) => index > 0 && rule.order === undefined);
  if (again !== undefined) {
    const where = `${path} tensor "${again.piece.source.name}"`;
    throw new InputError(where, `stands for ${name}, as "${source.name}" does`, UNKNOWN_KIND);
  }
  const axis = rowAxis(source.shape);
  const tail = String(source.shape.slice(axis + 1));
  const join = first.rule.added === true ? 'add' : 'concatenate';
  const fits = ({ source: other }: Piece): boolean =>
    convertedDtype(other.dtype) === convertedDtype(source.dtype) &&
    (join === 'add' || String(other.shape.slice(rowAxis(other.shape) + 1)) === tail);
  const misfit = pieces.find((piece) => !fits(piece));
  if (misfit !== undefined) {
    throw new InputError(
      `${path} tensor "${misfit.source.name}"`,
      `does not fit "${source.name}", with which it makes up ${name}`,
      UNKNOWN_KIND,
    );
  }
  const rows = join === 'add' ? first.piece.rows : pieces.reduce((sum, piece) => sum + piece.rows, 0);
  const shape = source.shape.map((length, index) => (index === axis ? rows : length));
  return {
    name,
    dtype: convertedDtype(source.dtype),
    shape: first.rule.leadingOne === true ? [1, ...shape] : shape,
    pieces,
    join,
  };
}
