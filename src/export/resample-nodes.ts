import { int } from '../tensor/graph/operator.ts';
import type { Interpolation } from '../vision/preprocess/taps.ts';
import type { GraphWriter } from './graph-writer.ts';

/** Pillow's fixed point: weights and sums are whole multiples of this. */
const UNIT = 2 ** -22;

/** Half widths of the filters, in source pixels at scale 1. */
const SUPPORTS: Readonly<Record<Interpolation, number>> = { bilinear: 1, bicubic: 2, lanczos: 3 };

/** Catmull–Rom's a. */
const CUBIC_A = -0.5;

/**
 * The weights of `resample` along one axis as nodes: which share every source pixel has in every resized one, in
 * whole multiples of 2⁻²², as doubles so that sums are exact.
 *
 * @param length name of the source length, int64 [1]
 * @returns name of float64 [size, length]
 */
export function resampleWeights(
  graph: GraphWriter,
  length: string,
  size: number,
  interpolation: Interpolation,
): string {
  const source = graph.cast(length, 'float64');
  const scale = graph.apply('Div', source, size);
  const stretch = graph.apply('Max', scale, 1);
  const reach = graph.apply('Mul', stretch, SUPPORTS[interpolation]);
  const middles = Array.from({ length: size }, (_, output) => output + 0.5);
  const centre = graph.apply('Mul', graph.doubles(middles, [size, 1]), scale);
  const low = graph.apply(
    'Max',
    graph.apply('Floor', graph.apply('Add', graph.apply('Sub', centre, reach), 0.5)),
    0,
  );
  const high = graph.apply(
    'Min',
    graph.apply('Floor', graph.apply('Add', graph.apply('Add', centre, reach), 0.5)),
    source,
  );
  const end = graph.node('Squeeze', [length]);
  const taps = graph.cast(graph.node('Range', [graph.integer(0), end, graph.integer(1)]), 'float64');
  const inside = graph.apply(
    'And',
    graph.apply('GreaterOrEqual', taps, low),
    graph.apply('Less', taps, high),
  );
  const distance = graph.apply('Div', graph.apply('Add', graph.apply('Sub', taps, centre), 0.5), stretch);
  const exact = graph.apply('Where', inside, filterNodes(graph, distance, interpolation), 0);
  const total = graph.node('ReduceSum', [exact, graph.integers([1])], { keepdims: int(1) });
  const share = graph.apply('Div', graph.apply('Div', exact, total), UNIT);
  return graph.apply(
    'Mul',
    graph.apply('Sign', share),
    graph.apply('Floor', graph.apply('Add', graph.apply('Abs', share), 0.5)),
  );
}

/**
 * Whether a view is resized along its columns first, as `resample` has it.
 *
 * @param width name of int64 [1]
 * @param height name of int64 [1]
 * @returns name of bool [1]
 */
export function isColumnsFirst(graph: GraphWriter, width: string, height: string, size: number): string {
  const lost = (length: string): string => graph.apply('Sub', length, graph.integers([size]));
  const twice = graph.apply('Mul', lost(width), graph.integers([2]));
  return graph.apply('Greater', lost(height), graph.apply('Max', twice, graph.integers([0])));
}

/**
 * Sums of 8-bit pixels times weights of {@link resampleWeights}, rounded to 8 bits again.
 *
 * @param sums float64
 * @returns float64 whole numbers from 0 to 255
 */
export function roundedToBytes(graph: GraphWriter, sums: string): string {
  return graph.apply(
    'Clip',
    graph.apply('Floor', graph.apply('Add', graph.apply('Mul', sums, UNIT), 0.5)),
    0,
    255,
  );
}

function filterNodes(graph: GraphWriter, x: string, interpolation: Interpolation): string {
  const d = graph.apply('Abs', x);
  switch (interpolation) {
    case 'bilinear':
      return graph.apply('Max', graph.apply('Sub', 1, d), 0);
    case 'bicubic': {
      const near = graph.apply(
        'Add',
        graph.apply(
          'Mul',
          graph.apply('Mul', graph.apply('Sub', graph.apply('Mul', d, CUBIC_A + 2), CUBIC_A + 3), d),
          d,
        ),
        1,
      );
      const bent = graph.apply('Add', graph.apply('Mul', graph.apply('Sub', d, 5), d), 8);
      const far = graph.apply('Mul', graph.apply('Sub', graph.apply('Mul', bent, d), 4), CUBIC_A);
      return graph.apply(
        'Where',
        graph.apply('Less', d, 1),
        near,
        graph.apply('Where', graph.apply('Less', d, 2), far, 0),
      );
    }
    case 'lanczos': {
      const product = graph.apply('Mul', sincNodes(graph, x), sincNodes(graph, graph.apply('Div', x, 3)));
      return graph.apply('Where', graph.apply('Less', d, 3), product, 0);
    }
  }
}

function sincNodes(graph: GraphWriter, x: string): string {
  const angle = graph.apply('Mul', x, Math.PI);
  const isZero = graph.apply('Equal', x, 0);
  return graph.apply(
    'Where',
    isZero,
    1,
    graph.apply('Div', graph.apply('Sin', angle), graph.apply('Where', isZero, 1, angle)),
  );
}
