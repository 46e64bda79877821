import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import { compile, input, Scope, Variables } from '../../../src/tensor/index.ts';
import { windowAttention, windowsOf } from '../../../src/vision/backbones/window-attention.ts';
import { layOutWindows, type WindowLayout } from '../../../src/vision/backbones/window-geometry.ts';

const DIM = 6;
const HEADS = 2;
const WIDTH = DIM / HEADS;

type Weights = (name: string) => Float32Array;

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);

const timesRows = (matrix: Float32Array, x: readonly number[]): number[] =>
  Array.from({ length: matrix.length / x.length }, (_, row) =>
    dot([...matrix.slice(row * x.length, (row + 1) * x.length)], x),
  );

/** timm's attention of one map, token by token, straight from the definition. */
function reference(tokens: readonly number[][], plan: WindowLayout, weights: Weights): number[][] {
  const [rows, columns] = plan.map;
  const q = (x: number[]) => timesRows(weights('qkv.weight'), x).slice(0, DIM);
  const k = (x: number[]) => timesRows(weights('qkv.weight'), x).slice(DIM, 2 * DIM);
  const v = (x: number[]) => timesRows(weights('qkv.weight'), x).slice(2 * DIM);
  const rolled = (row: number, column: number): readonly [number, number] => [
    (row - plan.shift[0] + rows) % rows,
    (column - plan.shift[1] + columns) % columns,
  ];
  const strip = (at: number, axis: 0 | 1): number =>
    plan.shift[axis] === 0 || at < plan.map[axis] - plan.window[axis]
      ? 0
      : at < plan.map[axis] - plan.shift[axis]
        ? 1
        : 2;
  const offset = (difference: number, axis: 0 | 1): number => {
    const scaled = (8 * difference) / (plan.window[axis] - 1);
    return (Math.sign(scaled) * Math.log2(1 + Math.abs(scaled))) / 3;
  };
  const places = tokens.map((_, i) => rolled(Math.floor(i / columns), i % columns));
  return tokens.map((x, i) => {
    const here = places[i] as readonly [number, number];
    const mixed: number[] = [];
    for (let head = 0; head < HEADS; head++) {
      const part = (y: number[], bias?: Float32Array): number[] =>
        y.slice(head * WIDTH, (head + 1) * WIDTH).map((value, j) => value + (bias?.[head * WIDTH + j] ?? 0));
      const unit = (y: number[]): number[] => y.map((value) => value / Math.hypot(...y));
      const query = unit(part(q(x), weights('q_bias')));
      const scale = Math.min(100, Math.exp(weights('logit_scale')[head] as number));
      const scores = tokens.map((other, j) => {
        const there = places[j] as readonly [number, number];
        const sameWindow = [0, 1].every(
          (axis) =>
            Math.floor((here[axis] as number) / (plan.window[axis] as number)) ===
            Math.floor((there[axis] as number) / (plan.window[axis] as number)),
        );
        if (!sameWindow) return Number.NEGATIVE_INFINITY;
        const coordinates = [offset(here[0] - there[0], 0), offset(here[1] - there[1], 1)];
        const inside = timesRows(weights('cpb_mlp.0.weight'), coordinates).map((value, unitIndex) =>
          Math.max(0, value + (weights('cpb_mlp.0.bias')[unitIndex] as number)),
        );
        const bias = 16 / (1 + Math.exp(-(timesRows(weights('cpb_mlp.2.weight'), inside)[head] as number)));
        const isNeighbour =
          strip(here[0], 0) === strip(there[0], 0) && strip(here[1], 1) === strip(there[1], 1);
        return scale * dot(query, unit(part(k(other)))) + bias - (isNeighbour ? 0 : 100);
      });
      const peak = Math.max(...scores);
      const shares = scores.map((score) => Math.exp(score - peak));
      const total = shares.reduce((sum, share) => sum + share, 0);
      for (let j = 0; j < WIDTH; j++) {
        const values = tokens.map((other) => part(v(other), weights('v_bias'))[j] as number);
        mixed.push(dot(shares, values) / total);
      }
    }
    return timesRows(weights('proj.weight'), mixed).map((y, j) => y + (weights('proj.bias')[j] as number));
  });
}

describe('window attention', () => {
  it.each([
    { name: 'still windows', map: [4, 6], window: [2, 3], shifted: false },
    { name: 'shifted windows', map: [8, 6], window: [4, 3], shifted: true },
    { name: 'windows shifted along one side', map: [3, 8], window: [4, 4], shifted: true },
    { name: 'a single window', map: [3, 4], window: [4, 4], shifted: true },
  ] as const)('follows the definition for $name', async ({ map, window, shifted }) => {
    const plan = layOutWindows(map, map, window, shifted);
    const scope = Scope.root({ random: randomStream(11) });
    const tokens = map[0] * map[1];
    const x = input('x', [2, tokens, DIM]);
    const y = windowAttention(scope, x, windowsOf(plan, 0), HEADS);
    const variables = new Variables();
    const noise = randomStream(12);
    for (const parameter of scope.parameters) {
      const values = variables.values(parameter) as Float32Array;
      variables.set(
        parameter,
        values.map(() => 0.5 * noise.normal()),
      );
    }
    const weights: Weights = (name) => {
      const found = scope.parameters.find((parameter) => parameter.name === name);
      if (found === undefined) throw new Error(`no ${name}`);
      return variables.values(found) as Float32Array;
    };
    const program = await compile({ outputs: { y } }, { threads: 1, variables });
    const values = Float32Array.from({ length: 2 * tokens * DIM }, () => noise.normal());
    const got = (await program.run({ x: values })).y?.values as Float32Array;
    await program.dispose();
    for (let sample = 0; sample < 2; sample++) {
      const list = Array.from({ length: tokens }, (_, i) => {
        const start = (sample * tokens + i) * DIM;
        return [...values.slice(start, start + DIM)];
      });
      const want = reference(list, plan, weights).flat();
      const found = got.slice(sample * tokens * DIM, (sample + 1) * tokens * DIM);
      want.forEach((value, i) => {
        expect(found[i]).toBeCloseTo(value, 4);
      });
    }
  });
});
