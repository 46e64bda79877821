import { type Shape, sizeOf } from '../../../src/tensor/graph/shape.ts';
import { at, build, type Doubles, erf, read, readBroadcast, total } from './arrays.ts';
import type { Rule } from './rule.ts';
import {
  averagePool,
  convolution,
  maxPool,
  resize,
  sampleGrid,
  transposedConvolution,
} from './spatial-rules.ts';

const elementwise =
  (map: (...values: number[]) => number): Rule =>
  (inputs, _, shapes) => [
    build(at(shapes, 0), (place) => map(...inputs.map((x) => readBroadcast(x, place)))),
  ];

const cdf = (x: number): number => 0.5 * (1 + erf(x / Math.SQRT2));
const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

const reduce =
  (fold: (values: number[]) => number): Rule =>
  ([x], attributes, shapes) => {
    const { axes, keepAxes } = attributes as { axes: number[]; keepAxes: boolean };
    const source = x as Doubles;
    const buckets = new Map<string, number[]>();
    build(source.shape, (place) => {
      const key = place.flatMap((c, axis) => (axes.includes(axis) ? (keepAxes ? [0] : []) : [c])).join();
      const bucket = buckets.get(key) ?? [];
      bucket.push(read(source, place));
      buckets.set(key, bucket);
      return 0;
    });
    return [build(at(shapes, 0), (place) => fold(buckets.get(place.join()) as number[]))];
  };

/** Applies `map` to every line along an axis. */
function lines(x: Doubles, axis: number, map: (line: number[]) => number[]): Doubles {
  const length = at(x.shape, axis);
  const cache = new Map<string, number[]>();
  return build(x.shape, (place) => {
    const key = place.map((c, i) => (i === axis ? '*' : c)).join();
    let line = cache.get(key);
    if (line === undefined) {
      line = map(
        Array.from({ length }, (_, c) =>
          read(
            x,
            place.map((old, i) => (i === axis ? c : old)),
          ),
        ),
      );
      cache.set(key, line);
    }
    return at(line, at(place, axis));
  });
}

const swapLast = (place: readonly number[]): number[] => [
  ...place.slice(0, -2),
  at(place, place.length - 1),
  at(place, place.length - 2),
];

function matmul(a: Doubles, b: Doubles, ta: boolean, tb: boolean, scale: number, shape: Shape): Doubles {
  const inner = at(a.shape, a.shape.length - (ta ? 2 : 1));
  return build(shape, (place) => {
    const row = at(place, place.length - 2);
    const column = at(place, place.length - 1);
    const lead = place.slice(0, -2);
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      const left = [...lead, row, k];
      const right = [...lead, k, column];
      sum += readBroadcast(a, ta ? swapLast(left) : left) * readBroadcast(b, tb ? swapLast(right) : right);
    }
    return sum * scale;
  });
}

const layerNorm: Rule = ([x, weight, bias], epsilon, shapes) => {
  const source = x as Doubles;
  const axis = source.shape.length - 1;
  const mean = (line: readonly number[]): number => total(line) / line.length;
  const deviation = (line: readonly number[]): number =>
    Math.sqrt(mean(line.map((v) => (v - mean(line)) ** 2)) + (epsilon as number));
  const normal = lines(source, axis, (line) => line.map((v) => (v - mean(line)) / deviation(line)));
  const statistic = (of: (line: readonly number[]) => number): Doubles =>
    build(at(shapes, 1), (place) =>
      of(Array.from({ length: at(source.shape, axis) }, (_, c) => read(source, [...place.slice(0, -1), c]))),
    );
  const scaled = build(source.shape, (place) => {
    const c = at(place, axis);
    return read(normal, place) * read(weight as Doubles, [c]) + read(bias as Doubles, [c]);
  });
  return [scaled, statistic(mean), statistic((line) => 1 / deviation(line))];
};

const batchNorm: Rule = ([x, weight, bias, mean, variance], epsilon) => [
  build((x as Doubles).shape, (place) => {
    const c = [at(place, 1)];
    const spread = Math.sqrt(read(variance as Doubles, c) + (epsilon as number));
    const normal = (read(x as Doubles, place) - read(mean as Doubles, c)) / spread;
    return normal * read(weight as Doubles, c) + read(bias as Doubles, c);
  }),
];

const attention: Rule = ([q, k, v, bias], attributes) => {
  const { heads, scale } = attributes as { heads: number; scale: number };
  const query = q as Doubles;
  const keys = at((k as Doubles).shape, 1);
  const width = at(query.shape, 2) / heads;
  return [
    build(query.shape, (place) => {
      const [n, token, channel] = place as unknown as [number, number, number];
      const head = Math.floor(channel / width);
      const scores = Array.from({ length: keys }, (_, key) => {
        let dot = 0;
        for (let c = head * width; c < (head + 1) * width; c++) {
          dot += read(query, [n, token, c]) * read(k as Doubles, [n, key, c]);
        }
        return dot * scale + (bias ? readBroadcast(bias, [n, head, token, key]) : 0);
      });
      const weights = scores.map((s) => Math.exp(s - Math.max(...scores)));
      return total(weights.map((e, key) => e * read(v as Doubles, [n, key, channel]))) / total(weights);
    }),
  ];
};

/** Gradients of queries, keys and values by head, by the Jacobian of softmax: dsᵢ = pᵢ·(Σ dO·vᵢ − level). */
const attentionBackward: Rule = ([q, k, v, g, level], attributes) => {
  const { scale } = attributes as { scale: number };
  const [query, key, value, arriving] = [q, k, v, g] as Doubles[] as [Doubles, Doubles, Doubles, Doubles];
  const [queries, keys, width] = [at(query.shape, 2), at(key.shape, 2), at(query.shape, 3)];
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
  const dot = (a: Doubles, i: number, b: Doubles, j: number, head: readonly number[]): number =>
    total(numbers(width).map((c) => read(a, [...head, i, c]) * read(b, [...head, j, c])));
  const probability = (head: readonly number[], i: number, j: number): number => {
    const scores = numbers(keys).map((other) => dot(query, i, key, other, head) * scale);
    const most = Math.max(...scores);
    return Math.exp(at(scores, j) - most) / total(scores.map((score) => Math.exp(score - most)));
  };
  const slope = (head: readonly number[], i: number, j: number): number =>
    (dot(arriving, i, value, j, head) - read(level as Doubles, [...head, i, 0])) *
    probability(head, i, j) *
    scale;
  return [
    build(query.shape, ([n, h, i, c]) =>
      total(
        numbers(keys).map(
          (j) => slope([n, h] as number[], i as number, j) * read(key, [n, h, j, c] as number[]),
        ),
      ),
    ),
    build(key.shape, ([n, h, j, c]) =>
      total(
        numbers(queries).map(
          (i) => slope([n, h] as number[], i, j as number) * read(query, [n, h, i, c] as number[]),
        ),
      ),
    ),
    build(value.shape, ([n, h, j, c]) =>
      total(
        numbers(queries).map(
          (i) => probability([n, h] as number[], i, j as number) * read(arriving, [n, h, i, c] as number[]),
        ),
      ),
    ),
  ];
};

const adaptedLinear: Rule = ([x, weight, down, up, bias], attributes) => {
  const { scale } = attributes as { scale: number };
  const rank = at((down as Doubles).shape, 0);
  const inner = at((x as Doubles).shape, 1);
  return [
    build([at((x as Doubles).shape, 0), at((weight as Doubles).shape, 0)], ([row, out]) => {
      let y = bias ? read(bias, [out as number]) : 0;
      for (let i = 0; i < inner; i++) {
        let w = read(weight as Doubles, [out as number, i]);
        for (let r = 0; r < rank; r++) {
          w += scale * read(up as Doubles, [out as number, r]) * read(down as Doubles, [r, i]);
        }
        y += w * read(x as Doubles, [row as number, i]);
      }
      return y;
    }),
  ];
};

const copy: Rule = ([x], _, shapes) => [{ shape: at(shapes, 0), data: (x as Doubles).data }];

export const RULES: Readonly<Record<string, Rule>> = {
  add: elementwise((a, b) => a + b),
  subtract: elementwise((a, b) => a - b),
  multiply: elementwise((a, b) => a * b),
  divide: elementwise((a, b) => a / b),
  power: elementwise((a, b) => a ** b),
  maximum: elementwise((a, b) => Math.max(a, b)),
  minimum: elementwise((a, b) => Math.min(a, b)),
  negate: elementwise((x) => -x),
  absolute: elementwise(Math.abs),
  sign: elementwise(Math.sign),
  exponential: elementwise(Math.exp),
  log: elementwise(Math.log),
  squareRoot: elementwise(Math.sqrt),
  arcSine: elementwise(Math.asin),
  sine: elementwise(Math.sin),
  cosine: elementwise(Math.cos),
  errorFunction: elementwise(erf),
  tanh: elementwise(Math.tanh),
  sigmoid: elementwise(logistic),
  softplus: elementwise((x) => Math.log1p(Math.exp(x))),
  relu: elementwise((x) => Math.max(0, x)),
  relu6: elementwise((x) => Math.min(Math.max(0, x), 6)),
  silu: elementwise((x) => x * logistic(x)),
  halfOnePlus: elementwise((x) => (1 + x) / 2),
  gelu: elementwise((x) => x * cdf(x)),
  geluTanh: elementwise((x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))),
  cast: copy,
  stopGradient: copy,
  after: copy,
  reshape: copy,
  greater: elementwise((a, b) => Number(a > b)),
  greaterOrEqual: elementwise((a, b) => Number(a >= b)),
  less: elementwise((a, b) => Number(a < b)),
  lessOrEqual: elementwise((a, b) => Number(a <= b)),
  equal: elementwise((a, b) => Number(a === b)),
  logicalAnd: elementwise((a, b) => a * b),
  logicalOr: elementwise((a, b) => Math.max(a, b)),
  logicalNot: elementwise((x) => 1 - x),
  isFinite: elementwise((x) => Number(Number.isFinite(x))),
  where: elementwise((condition, a, b) => (condition ? a : b)),
  sum: reduce(total),
  mean: reduce((values) => total(values) / values.length),
  sumOfSquares: reduce((values) => total(values.map((v) => v * v))),
  max: reduce((values) => Math.max(...values)),
  min: reduce((values) => Math.min(...values)),
  expand: ([x], _, shapes) => [build(at(shapes, 0), (place) => readBroadcast(x as Doubles, place))],
  transpose: ([x], order, shapes) => [
    build(at(shapes, 0), (place) => {
      const source = new Array<number>(place.length);
      (order as number[]).forEach((axis, i) => {
        source[axis] = at(place, i);
      });
      return read(x as Doubles, source);
    }),
  ],
  concat: (inputs, axis, shapes) => [
    build(at(shapes, 0), (place) => {
      let offset = at(place, axis as number);
      for (const x of inputs) {
        const length = at(x.shape, axis as number);
        if (offset < length)
          return read(
            x,
            place.map((c, i) => (i === axis ? offset : c)),
          );
        offset -= length;
      }
      throw new RangeError('concat');
    }),
  ],
  split: ([x], attributes, shapes) => {
    const { axis, lengths } = attributes as { axis: number; lengths: number[] };
    return shapes.map((shape, part) => {
      const start = total(lengths.slice(0, part));
      return build(shape, (place) =>
        read(
          x as Doubles,
          place.map((c, i) => (i === axis ? c + start : c)),
        ),
      );
    });
  },
  slice: ([x], attributes, shapes) => {
    const { axes, ranges } = attributes as { axes: number[]; ranges: [number, number][] };
    const start = (axis: number): number => ranges[axes.indexOf(axis)]?.[0] ?? 0;
    return [
      build(at(shapes, 0), (place) =>
        read(
          x as Doubles,
          place.map((c, i) => c + start(i)),
        ),
      ),
    ];
  },
  pad: ([x], attributes, shapes) => {
    const { before, value } = attributes as { before: number[]; value: number };
    const source = x as Doubles;
    return [
      build(at(shapes, 0), (place) => {
        const inner = place.map((c, i) => c - at(before, i));
        const inside = inner.every((c, i) => c >= 0 && c < at(source.shape, i));
        return inside ? read(source, inner) : value;
      }),
    ];
  },
  gather: ([x, indices], axis, shapes) => {
    const a = axis as number;
    const list = indices as Doubles;
    return [
      build(at(shapes, 0), (place) => {
        const chosen = read(list, place.slice(a, a + list.shape.length));
        return read(x as Doubles, [...place.slice(0, a), chosen, ...place.slice(a + list.shape.length)]);
      }),
    ];
  },
  scatterAdd: ([indices, values], attributes, shapes) => {
    const { axis } = attributes as { axis: number };
    const shape = at(shapes, 0);
    const result = new Float64Array(sizeOf(shape));
    const rest = (from: number): number => sizeOf(shape.slice(from));
    build((values as Doubles).shape, (place) => {
      const target = place.map((c, i) => (i === axis ? read(indices as Doubles, place) : c));
      const index = total(target.map((c, i) => c * rest(i + 1)));
      result[index] = (result[index] as number) + read(values as Doubles, place);
      return 0;
    });
    return [{ shape, data: result }];
  },
  matmul: ([a, b], attributes, shapes) => {
    const o = attributes as { transposeA: boolean; transposeB: boolean; scale: number };
    return [matmul(a as Doubles, b as Doubles, o.transposeA, o.transposeB, o.scale, at(shapes, 0))];
  },
  linear: ([x, weight, bias], _, shapes) => {
    const y = matmul(x as Doubles, weight as Doubles, false, true, 1, at(shapes, 0));
    return [build(y.shape, (place) => read(y, place) + (bias ? read(bias, [at(place, 1)]) : 0))];
  },
  softmax: ([x], axis) => [
    lines(x as Doubles, axis as number, (line) => {
      const weights = line.map((v) => Math.exp(v - Math.max(...line)));
      return weights.map((e) => e / total(weights));
    }),
  ],
  logSoftmax: ([x], axis) => [
    lines(x as Doubles, axis as number, (line) => {
      const peak = Math.max(...line);
      const level = peak + Math.log(total(line.map((v) => Math.exp(v - peak))));
      return line.map((v) => v - level);
    }),
  ],
  layerNorm,
  batchNorm,
  gateMaps: elementwise((x, gate) => x * gate),
  scaleDeviation: elementwise((deviation, weight, inverse) => deviation * weight * inverse),
  convolution,
  transposedConvolution,
  maxPool,
  averagePool,
  resize,
  sampleGrid,
  attention,
  attentionBackward,
  adaptedLinear,
};
