import { int, ints } from '../tensor/graph/operator.ts';
import type { ViewRecipe } from '../vision/features/index.ts';
import type { ViewCut } from '../vision/preprocess/views.ts';
import type { WindowGrid } from '../vision/preprocess/windows.ts';
import type { GraphWriter } from './graph-writer.ts';
import { resampleWeights, roundedToBytes } from './resample-nodes.ts';
import { type Span, windowSpans } from './window-nodes.ts';

/** Views that are columns of rows. */
type GridCut = Exclude<ViewCut, WindowGrid>;

/** Photos as nodes, and what their views become. */
interface Source {
  /** Name of uint8 [photos, 3, height, width]. */
  readonly planes: string;
  /** Names of int64 [1]. */
  readonly width: string;
  readonly height: string;
  /** Resampling weights of a source length, int64 [1]. */
  weightsOf(length: string): string;
}

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
  const lengthOf = (axis: number): string =>
    graph.slice(shape, 0, graph.integers([axis]), graph.integers([axis + 1]));
  const source: Source = {
    planes: graph.node('Transpose', [photos], { perm: ints([0, 3, 1, 2]) }),
    width: lengthOf(2),
    height: lengthOf(1),
    weightsOf: (length) => resampleWeights(graph, length, size, interpolation),
  };
  const views = typeof plan === 'object' ? windowViews(graph, source, plan) : gridViews(graph, source, plan);
  const stacked = views.map((view) => graph.apply('Unsqueeze', view, graph.integers([1])));
  return graph.cast(graph.node('Concat', stacked, { axis: int(1) }), 'float32');
}

/** Columns are resized once for all of their rows. */
function gridViews(graph: GraphWriter, { planes, width, height, weightsOf }: Source, cut: GridCut): string[] {
  const columns = columnSpans(graph, cut, width);
  const rows = cut === 'tiles' ? halved(graph, wholeSpan(graph, height)) : [wholeSpan(graph, height)];
  const lengthOf = ({ start, end }: Span): string => graph.apply('Sub', end, start);
  const down = rows.map((band) => weightsOf(lengthOf(band)));
  const grid = columns.map((span) => {
    const strip = graph.cast(graph.slice(planes, 3, span.start, span.end), 'float64');
    const narrow = resized(graph, strip, transposed(graph, weightsOf(lengthOf(span))));
    return rows.map((band, row) => {
      const part = rows.length === 1 ? narrow : graph.slice(narrow, 2, band.start, band.end);
      return resized(graph, down[row] as string, part);
    });
  });
  return inOrder(cut, grid);
}

/** All windows have one size, so that they share their weights. */
function windowViews(
  graph: GraphWriter,
  { planes, width, height, weightsOf }: Source,
  grid: WindowGrid,
): string[] {
  const spans = windowSpans(graph, grid, width, height);
  const across = transposed(graph, weightsOf(spans.width));
  const down = weightsOf(spans.height);
  return spans.windows.map(({ x, y }) => {
    const window = graph.slice(graph.slice(planes, 3, x.start, x.end), 2, y.start, y.end);
    return resized(graph, down, resized(graph, graph.cast(window, 'float64'), across));
  });
}

const transposed = (graph: GraphWriter, weights: string): string =>
  graph.node('Transpose', [weights], { perm: ints([1, 0]) });

/** One of two resizings, along rows or columns. */
const resized = (graph: GraphWriter, left: string, right: string): string =>
  roundedToBytes(graph, graph.apply('MatMul', left, right));

/** Left half before right half, tiles row by row; `grid` is columns of rows. */
function inOrder(cut: GridCut, grid: readonly (readonly string[])[]): string[] {
  if (cut !== 'tiles') return grid.flat();
  const [a = [], b = [], c = [], d = []] = grid;
  return [[a, b] as const, [c, d] as const].flatMap(([left, right]) =>
    left.flatMap((view, row) => [view, right[row] as string]),
  );
}

function columnSpans(graph: GraphWriter, cut: GridCut, width: string): Span[] {
  const whole = wholeSpan(graph, width);
  if (cut === 'whole') return [whole];
  const halves = halved(graph, whole);
  return cut === 'halves' ? halves : halves.flatMap((half) => halved(graph, half));
}

const wholeSpan = (graph: GraphWriter, length: string): Span => ({ start: graph.integers([0]), end: length });

/** Both halves; the second is larger by a pixel where the length is odd. */
function halved(graph: GraphWriter, { start, end }: Span): Span[] {
  const length = graph.apply('Sub', end, start);
  const middle = graph.apply('Add', start, graph.apply('Div', length, graph.integers([2])));
  return [
    { start, end: middle },
    { start: middle, end },
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
