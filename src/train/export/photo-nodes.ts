import { int, ints } from '../../tensor/graph/operator.ts';
import type { ViewRecipe } from '../../vision/features/index.ts';
import type { ViewPlan } from '../../vision/preprocess/views.ts';
import type { GraphWriter } from './graph-writer.ts';
import { resampleWeights, roundedToBytes } from './resample-nodes.ts';

/** A part of an axis: names of int64 [1]. */
interface Span {
  readonly start: string;
  readonly end: string;
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
  const planes = graph.node('Transpose', [photos], { perm: ints([0, 3, 1, 2]) });
  const columns = columnSpans(graph, plan, lengthOf(2));
  const rows =
    plan === 'tiles' ? halved(graph, wholeSpan(graph, lengthOf(1))) : [wholeSpan(graph, lengthOf(1))];
  const weightsOf = ({ start, end }: Span): string =>
    resampleWeights(graph, graph.apply('Sub', end, start), size, interpolation);
  const down = rows.map(weightsOf);
  const grid = columns.map((span) => {
    const strip = graph.cast(graph.slice(planes, 3, span.start, span.end), 'float64');
    const across = graph.node('Transpose', [weightsOf(span)], { perm: ints([1, 0]) });
    const narrow = roundedToBytes(graph, graph.apply('MatMul', strip, across));
    return rows.map((band, row) => {
      const part = rows.length === 1 ? narrow : graph.slice(narrow, 2, band.start, band.end);
      return roundedToBytes(graph, graph.apply('MatMul', down[row] as string, part));
    });
  });
  const views = inOrder(plan, grid).map((view) => graph.apply('Unsqueeze', view, graph.integers([1])));
  return graph.cast(graph.node('Concat', views, { axis: int(1) }), 'float32');
}

/** Left half before right half, tiles row by row; `grid` is columns of rows. */
function inOrder(plan: ViewPlan, grid: readonly (readonly string[])[]): string[] {
  if (plan !== 'tiles') return grid.flat();
  const [a = [], b = [], c = [], d = []] = grid;
  return [[a, b] as const, [c, d] as const].flatMap(([left, right]) =>
    left.flatMap((view, row) => [view, right[row] as string]),
  );
}

function columnSpans(graph: GraphWriter, plan: ViewPlan, width: string): Span[] {
  const whole = wholeSpan(graph, width);
  if (plan === 'whole') return [whole];
  const halves = halved(graph, whole);
  return plan === 'halves' ? halves : halves.flatMap((half) => halved(graph, half));
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
