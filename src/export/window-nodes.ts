import type { WindowGrid } from '../vision/preprocess/windows.ts';
import type { GraphWriter } from './graph-writer.ts';

/** A part of an axis: names of int64 [1]. */
export interface Span {
  readonly start: string;
  readonly end: string;
  readonly length: string;
}

/** A part of every photo. */
export interface PhotoWindow {
  readonly x: Span;
  readonly y: Span;
}

/** Windows along one side: names of float64 [1]. */
interface Spread {
  readonly long: string;
  readonly starts: readonly string[];
}

/**
 * `windowBoxes` as nodes, in doubles as it has them: which side is the longer is known when the model runs.
 *
 * @param width name of int64 [1]
 * @param height name of int64 [1]
 */
export function windowSpans(
  graph: GraphWriter,
  { side, across, down }: WindowGrid,
  width: string,
  height: string,
): PhotoWindow[] {
  const lies = graph.apply('GreaterOrEqual', width, height);
  const longer = graph.cast(graph.apply('Max', width, height), 'float64');
  const shorter = graph.cast(graph.apply('Min', width, height), 'float64');
  const rounded = graph.apply('Floor', graph.apply('Add', graph.apply('Mul', shorter, side), 0.5));
  const least = graph.apply('Max', rounded, 1);
  const columns = spread(graph, longer, across, least);
  const rows = spread(graph, shorter, down, least);
  const either = (lying: string, upright: string): string =>
    graph.cast(graph.apply('Where', lies, lying, upright), 'int64');
  const [wide, high] = [either(columns.long, rows.long), either(rows.long, columns.long)];
  const span = (start: string, length: string): Span => ({
    start,
    end: graph.apply('Add', start, length),
    length,
  });
  return rows.starts.flatMap((row) =>
    columns.starts.map((column) => ({
      x: span(either(column, row), wide),
      y: span(either(row, column), high),
    })),
  );
}

function spread(graph: GraphWriter, length: string, count: number, least: string): Spread {
  const long = graph.apply('Max', graph.apply('Ceil', graph.apply('Div', length, count)), least);
  const room = graph.apply('Sub', length, long);
  const starts = Array.from({ length: count }, (_, index) =>
    graph.apply('Floor', graph.apply('Div', graph.apply('Mul', room, index), Math.max(1, count - 1))),
  );
  return { long, starts };
}
