import { int, ints } from '../tensor/graph/operator.ts';
import type { ViewRecipe } from '../vision/features/index.ts';
import type { ViewCut } from '../vision/preprocess/views.ts';
import type { WindowGrid } from '../vision/preprocess/windows.ts';
import type { GraphWriter } from './graph-writer.ts';
import { isColumnsFirst, resampleWeights, roundedToBytes } from './resample-nodes.ts';
import { type PhotoWindow, type Span, windowSpans } from './window-nodes.ts';

/** Views that are columns of rows. */
type GridCut = Exclude<ViewCut, WindowGrid>;

/**
 * The views of photos as nodes: cut as `viewBoxes` does and resized as `resample` does, digit for digit.
 *
 * @param photos name of uint8 [photos, height, width, 3]
 * @returns name of float32 [photos, views, 3, size, size], whole numbers from 0 to 255
 */
export function viewNodes(
  graph: GraphWriter,
  photos: string,
  { plan, size, interpolation }: Pick<ViewRecipe, 'plan' | 'size' | 'interpolation'>,
): string {
  const shape = graph.apply('Shape', photos);
  const side = (axis: number): Span => {
    const length = graph.slice(shape, 0, graph.integers([axis]), graph.integers([axis + 1]));
    return { start: graph.integers([0]), end: length, length };
  };
  const planes = graph.node('Transpose', [photos], { perm: ints([0, 3, 1, 2]) });
  const [width, height] = [side(2), side(1)];
  const boxes =
    typeof plan === 'object'
      ? windowSpans(graph, plan, width.length, height.length)
      : gridSpans(graph, plan, width, height);
  // Views of one length share their weights.
  const down = remembered((length) => resampleWeights(graph, length, size, interpolation));
  const across = remembered((length) => graph.node('Transpose', [down(length)], { perm: ints([1, 0]) }));
  const stacked = boxes.map(({ x, y }) => {
    const part = graph.slice(graph.slice(planes, 3, x.start, x.end), 2, y.start, y.end);
    const view = graph.cast(part, 'float64');
    const [left, right] = [down(y.length), across(x.length)];
    const resized = graph.either(
      isColumnsFirst(graph, x.length, y.length, size),
      { dtype: 'float64', shape: ['photos', 3, size, size] },
      () => product(graph, product(graph, left, view), right),
      () => product(graph, left, product(graph, view, right)),
    );
    return graph.apply('Unsqueeze', resized, graph.integers([1]));
  });
  return graph.cast(graph.node('Concat', stacked, { axis: int(1) }), 'float32');
}

/** Makes what belongs to a name once. */
function remembered(make: (name: string) => string): (name: string) => string {
  const made = new Map<string, string>();
  return (name) => {
    const value = made.get(name) ?? make(name);
    made.set(name, value);
    return value;
  };
}

/** One of two resizings, along rows or columns. */
const product = (graph: GraphWriter, left: string, right: string): string =>
  roundedToBytes(graph, graph.apply('MatMul', left, right));

/** Left half before right half, tiles row by row. */
function gridSpans(graph: GraphWriter, cut: GridCut, width: Span, height: Span): PhotoWindow[] {
  if (cut === 'whole') return [{ x: width, y: height }];
  const halves = halved(graph, width);
  if (cut === 'halves') return halves.map((x) => ({ x, y: height }));
  const rows = halved(graph, height);
  return halves.flatMap((half) => {
    const columns = halved(graph, half);
    return rows.flatMap((y) => columns.map((x) => ({ x, y })));
  });
}

/** Both halves; the second is larger by a pixel where the length is odd. */
function halved(graph: GraphWriter, { start, end, length }: Span): Span[] {
  const first = graph.apply('Div', length, graph.integers([2]));
  const middle = graph.apply('Add', start, first);
  return [
    { start, end: middle, length: first },
    { start: middle, end, length: graph.apply('Sub', length, first) },
  ];
}

/** To the first element and beyond, going backwards. */
const BEFORE_FIRST = -(2 ** 31);

/**
 * Every view in every turn (see `ViewRecipe`).
 *
 * @param views name of [photos, views, 3, size, size]
 * @returns name of [photos, turns, views, 3, size, size]
 */
export function turnNodes(graph: GraphWriter, views: string, turns: readonly number[]): string {
  const reversed = (value: string, axis: number): string => {
    const bounds = [[-1], [BEFORE_FIRST], [axis], [-1]].map((list) => graph.integers(list));
    return graph.apply('Slice', value, ...bounds);
  };
  const turned = turns.map((turn) => {
    let view = views;
    if ((turn & 1) !== 0) view = reversed(view, 4);
    if ((turn & 2) !== 0) view = reversed(view, 3);
    if ((turn & 4) !== 0) view = graph.node('Transpose', [view], { perm: ints([0, 1, 2, 4, 3]) });
    return graph.apply('Unsqueeze', view, graph.integers([1]));
  });
  return turned.length === 1 ? (turned[0] as string) : graph.node('Concat', turned, { axis: int(1) });
}
