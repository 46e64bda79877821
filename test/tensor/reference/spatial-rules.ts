import { at, build, type Doubles, read, readPadded, total } from './arrays.ts';
import type { Rule } from './rule.ts';

interface Window {
  kernel: [number, number];
  stride: [number, number];
  dilation: [number, number];
  border: { top: number; left: number; bottom: number; right: number };
  groups: number;
  countBorder: boolean;
}

/** Input places that an output place looks at, with the kernel's place. */
function* looks([row, column]: readonly [number, number], w: Window) {
  for (let i = 0; i < w.kernel[0]; i++) {
    for (let j = 0; j < w.kernel[1]; j++) {
      const y = row * w.stride[0] - w.border.top + i * w.dilation[0];
      const x = column * w.stride[1] - w.border.left + j * w.dilation[1];
      yield { i, j, y, x };
    }
  }
}

type Place4 = readonly [number, number, number, number];

export const convolution: Rule = ([x, weight, bias], attributes, shapes) => {
  const w = attributes as Window;
  const source = x as Doubles;
  const kernel = weight as Doubles;
  const [features, depth] = kernel.shape as Place4;
  return [
    build(at(shapes, 0), (place) => {
      const [n, f, row, column] = place as unknown as Place4;
      const group = Math.floor(f / (features / w.groups));
      let sum = bias ? read(bias, [f]) : 0;
      for (const { i, j, y, x: c } of looks([row, column], w)) {
        for (let d = 0; d < depth; d++) {
          sum += readPadded(source, [n, group * depth + d, y, c]) * read(kernel, [f, d, i, j]);
        }
      }
      return sum;
    }),
  ];
};

/** Scatters instead of gathering: written from the definition of a transposed linear map. */
export const transposedConvolution: Rule = ([y, weight], attributes, shapes) => {
  const { of: w } = attributes as { of: Window };
  const source = y as Doubles;
  const kernel = weight as Doubles;
  const shape = at(shapes, 0);
  const [, channels, height, width] = shape as Place4;
  const [features, depth] = kernel.shape as Place4;
  const result = build(shape, () => 0);
  build(source.shape, (place) => {
    const [n, f, row, column] = place as unknown as Place4;
    const group = Math.floor(f / (features / w.groups));
    for (const { i, j, y: r, x: c } of looks([row, column], w)) {
      if (r < 0 || r >= height || c < 0 || c >= width) continue;
      for (let d = 0; d < depth; d++) {
        const index = ((n * channels + group * depth + d) * height + r) * width + c;
        result.data[index] =
          (result.data[index] as number) + read(source, place) * read(kernel, [f, d, i, j]);
      }
    }
    return 0;
  });
  return [result];
};

export const maxPool: Rule = ([x], attributes, shapes) => {
  const source = x as Doubles;
  const [, channels, height, width] = source.shape as Place4;
  const winners = build(at(shapes, 0), (place) => {
    const [n, c, row, column] = place as unknown as Place4;
    let best = -1;
    let value = Number.NEGATIVE_INFINITY;
    for (const look of looks([row, column], attributes as Window)) {
      if (look.y < 0 || look.x < 0 || look.y >= height || look.x >= width) continue;
      const candidate = read(source, [n, c, look.y, look.x]);
      if (candidate > value) {
        value = candidate;
        best = ((n * channels + c) * height + look.y) * width + look.x;
      }
    }
    return best;
  });
  const values = build(at(shapes, 0), () => 0);
  winners.data.forEach((index, i) => {
    values.data[i] = source.data[index] as number;
  });
  return [values, winners];
};

export const averagePool: Rule = ([x], attributes, shapes) => {
  const w = attributes as Window;
  const source = x as Doubles;
  const [, , height, width] = source.shape as Place4;
  return [
    build(at(shapes, 0), (place) => {
      const [n, c, row, column] = place as unknown as Place4;
      const seen = [...looks([row, column], w)].filter(
        (look) => w.countBorder || (look.y >= 0 && look.x >= 0 && look.y < height && look.x < width),
      );
      return total(seen.map((look) => readPadded(source, [n, c, look.y, look.x]))) / seen.length;
    }),
  ];
};

/** Resampling by PIL's definition (antialias) or torch's plain one, two-dimensionally at once. */
export const resize: Rule = ([x], attributes, shapes) => {
  const { mode, antialias } = attributes as { mode: string; antialias: boolean };
  const source = x as Doubles;
  const shape = at(shapes, 0);
  const a = antialias ? -0.5 : -0.75;
  const kernel = (t: number): number => {
    const d = Math.abs(t);
    if (mode === 'bilinear') return Math.max(0, 1 - d);
    if (d < 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
    return d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0;
  };
  const taps = (axis: number, i: number): [number, number][] => {
    const from = at(source.shape, axis);
    const ratio = from / at(shape, axis);
    const blur = antialias && ratio > 1 ? ratio : 1;
    const centre = (i + 0.5) * ratio;
    const list: [number, number][] = [];
    for (let j = -5 - Math.ceil(3 * blur); j < from + 5 + 3 * blur; j++) {
      const weight = kernel((j + 0.5 - centre) / blur);
      if (weight === 0 || (antialias && (j < 0 || j >= from))) continue;
      list.push([Math.min(Math.max(j, 0), from - 1), weight]);
    }
    const sum = total(list.map(([, weight]) => weight));
    return list.map(([j, weight]) => [j, weight / sum]);
  };
  return [
    build(shape, (place) => {
      const [n, c, row, column] = place as unknown as Place4;
      return total(
        taps(2, row).flatMap(([y, p]) => taps(3, column).map(([z, q]) => p * q * read(source, [n, c, y, z]))),
      );
    }),
  ];
};

export const sampleGrid: Rule = ([x, grid], attributes, shapes) => {
  const { alignCorners } = attributes as { alignCorners: boolean };
  const source = x as Doubles;
  const [, , height, width] = source.shape as Place4;
  const pixel = (c: number, length: number): number =>
    alignCorners ? ((c + 1) / 2) * (length - 1) : ((c + 1) * length - 1) / 2;
  return [
    build(at(shapes, 0), (place) => {
      const [n, c, row, column] = place as unknown as Place4;
      const px = pixel(read(grid as Doubles, [n, row, column, 0]), width);
      const py = pixel(read(grid as Doubles, [n, row, column, 1]), height);
      let sum = 0;
      for (const y of [Math.floor(py), Math.floor(py) + 1]) {
        for (const z of [Math.floor(px), Math.floor(px) + 1]) {
          sum += (1 - Math.abs(py - y)) * (1 - Math.abs(px - z)) * readPadded(source, [n, c, y, z]);
        }
      }
      return sum;
    }),
  ];
};
