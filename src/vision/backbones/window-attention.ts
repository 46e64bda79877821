import { lengthAt } from '../../tensor/graph/shape.ts';
import {
  add,
  attention,
  concat,
  constant,
  divide,
  expand,
  exponential,
  filledWith,
  linearLayer,
  minimum,
  multiply,
  pad,
  relu,
  reshape,
  type Scope,
  sigmoid,
  slice,
  splitEvenly,
  squareRoot,
  sumOfSquares,
  type Tensor,
  transpose,
} from '../../tensor/index.ts';
import type { Size } from './backbone.ts';
import { inverse, type Order, orderFrom, reorder } from './reorder.ts';
import { keylessQkv } from './transformer.ts';
import {
  relativeCoordinates,
  shiftMask,
  type WindowLayout,
  windowCount,
  windowOrder,
} from './window-geometry.ts';

/** Hidden width of the network that makes the position bias. */
const POSITION_WIDTH = 512;

/** Scores are multiplied by at most this. */
const LARGEST_SCALE = 100;

/** A layout with the constants that all its blocks share. */
export interface Windows {
  readonly layout: WindowLayout;
  /** Into windows; undefined where the only window is the map as it is. */
  readonly order: Order | undefined;
  /** `[windows, 1, tokens, tokens]`; undefined where nothing is shifted. */
  readonly mask: Tensor | undefined;
  /** Offsets for the position bias, `[2·rows − 1, 2·columns − 1, 2]`. */
  readonly coordinates: Tensor;
}

/** Makes what a layout's blocks share. `pretrained`: the window of pretraining, or 0. */
export function windowsOf(layout: WindowLayout, pretrained: number): Windows {
  const { window } = layout;
  const tokens = window[0] * window[1];
  const mask = shiftMask(layout);
  const isWhole = windowCount(layout) === 1 && mask === undefined;
  return {
    layout,
    order: isWhole ? undefined : orderFrom(windowOrder(layout)),
    mask: mask && constant(mask, [windowCount(layout), 1, tokens, tokens]),
    coordinates: constant(relativeCoordinates(window, pretrained), [2 * window[0] - 1, 2 * window[1] - 1, 2]),
  };
}

/**
 * SwinV2's attention within (shifted) windows: cosine scores, a learnt scale a head, a bias from log-spaced
 * offsets (Liu et al. 2022; timm's `WindowAttention`).
 *
 * @param x tokens of a map, `[batch, rows · columns, dim]`
 */
export function windowAttention(scope: Scope, x: Tensor, windows: Windows, heads: number): Tensor {
  const { layout, order } = windows;
  const [batch, , dim] = x.shape as [number, number, number];
  const filled = padded(x, layout);
  const sorted = order ? reorder(filled, order) : filled;
  const inside = reshape(sorted, [-1, layout.window[0] * layout.window[1], dim]);
  const [q, k, v] = splitEvenly(keylessQkv(scope, inside), 3, -1) as [Tensor, Tensor, Tensor];
  const scale = scope.parameter('logit_scale', [heads, 1, 1], filledWith(Math.log(10)));
  const factor = reshape(exponential(minimum(scale, Math.log(LARGEST_SCALE))), [heads, 1]);
  const mixed = attend([unit(q, heads, factor), unit(k, heads), v], {
    heads,
    bias: positionBias(scope.in('cpb_mlp'), windows, heads),
    mask: windows.mask,
    batch,
  });
  const projected = reshape(linearLayer(scope.in('proj'), mixed, dim), filled.shape);
  return cropped(order ? reorder(projected, inverse(order)) : projected, layout);
}

/** Every head's part of length 1, times the head's factor. */
function unit(x: Tensor, heads: number, factor?: Tensor): Tensor {
  const dim = lengthAt(x.shape, -1);
  const parts = reshape(x, [...x.shape.slice(0, -1), heads, dim / heads]);
  // As torch's normalize, which holds lengths above 10⁻¹².
  const length = squareRoot(add(sumOfSquares(parts, { axes: [-1], keepAxes: true }), 1e-24));
  return reshape(multiply(parts, divide(factor ?? 1, length)), x.shape);
}

interface Scores {
  readonly heads: number;
  /** `[1, heads, tokens, tokens]` */
  readonly bias: Tensor;
  /** `[windows, 1, tokens, tokens]` */
  readonly mask: Tensor | undefined;
  /** How many maps the windows are of. */
  readonly batch: number;
}

/** Attention within windows `[batch · windows, tokens, dim]`. */
function attend(qkv: readonly [Tensor, Tensor, Tensor], { heads, bias, mask, batch }: Scores): Tensor {
  const within = ([q, k, v]: readonly Tensor[], added: Tensor): Tensor =>
    attention(q as Tensor, k as Tensor, v as Tensor, { heads, scale: 1, bias: added });
  if (mask === undefined) return within(qkv, bias);
  // The fused kernel takes one bias for all windows or one for each of them, but none that repeats map by map.
  const parts = qkv.map((x) => splitEvenly(x, batch, 0));
  const added = add(bias, mask);
  return concat(
    Array.from({ length: batch }, (_, map) =>
      within(
        parts.map((part) => part[map] as Tensor),
        added,
      ),
    ),
    0,
  );
}

/** 16·sigmoid of what a small network makes of the offset between two tokens: `[1, heads, tokens, tokens]`. */
function positionBias(scope: Scope, { layout: { window }, coordinates }: Windows, heads: number): Tensor {
  const inside = relu(linearLayer(scope.in(0), coordinates, POSITION_WIDTH));
  const made = linearLayer(scope.in(2), inside, heads, { bias: false });
  const table = transpose(multiply(sigmoid(made), 16), [2, 0, 1]);
  const [rows, columns] = window;
  const byRows = reshape(skewed(reshape(table, [heads, 2 * rows - 1, -1]), rows), [
    heads * rows * rows,
    2 * columns - 1,
    1,
  ]);
  const pairs = reshape(skewed(byRows, columns), [heads, rows, rows, columns, columns]);
  return reshape(transpose(pairs, [0, 1, 3, 2, 4]), [1, heads, rows * columns, rows * columns]);
}

/**
 * A table over offsets, from the largest to the smallest, spread out over pairs of places:
 * `[count, 2n − 1, width]` → `[count, n, n, width]`, where pair (i, j) gets entry n − 1 − i + j. A repeated table
 * read with a stride one shorter than it is moves by one entry a row; slices have far cheaper gradients than
 * gathering would.
 */
function skewed(table: Tensor, n: number): Tensor {
  const [count, length, width] = table.shape as [number, number, number];
  if (n === 1) return reshape(table, [count, 1, 1, width]);
  const repeated = reshape(expand(reshape(table, [count, 1, length, width]), [count, n, length, width]), [
    count,
    n * length,
    width,
  ]);
  const rows = slice(repeated, { 1: [n - 1, n - 1 + n * (length - 1)] });
  return slice(reshape(rows, [count, n, length - 1, width]), { 2: [0, n] });
}

/** Zeros below and to the right, so that windows tile the map. */
function padded(x: Tensor, { map, padded: [rows, columns] }: WindowLayout): Tensor {
  if (rows === map[0] && columns === map[1]) return x;
  const wide = pad(asMap(x, map), { 1: [0, rows - map[0]], 2: [0, columns - map[1]] });
  return reshape(wide, [lengthAt(x.shape, 0), rows * columns, -1]);
}

/** Takes them away again. */
function cropped(x: Tensor, { map: [rows, columns], padded: from }: WindowLayout): Tensor {
  if (rows === from[0] && columns === from[1]) return x;
  const part = slice(asMap(x, from), { 1: [0, rows], 2: [0, columns] });
  return reshape(part, [lengthAt(x.shape, 0), rows * columns, -1]);
}

/** `[batch, rows · columns, dim]` → `[batch, rows, columns, dim]`. */
export const asMap = (x: Tensor, [rows, columns]: Size): Tensor =>
  reshape(x, [lengthAt(x.shape, 0), rows, columns, -1]);
