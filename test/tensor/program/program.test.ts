import { existsSync } from 'node:fs';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import {
  add,
  compile,
  constant,
  decodeNumbers,
  dropout,
  encodeNumbers,
  exportOnnx,
  gather,
  input,
  linear,
  linearLayer,
  multiply,
  openSafetensors,
  type Parameter,
  PROVIDERS,
  ProgramCache,
  parameter,
  reshape,
  Scope,
  type Shape,
  saveTensors,
  sum,
  type Tensor,
  type TensorData,
  Variables,
} from '../../../src/tensor/index.ts';
import { int8ProductsOverflow } from '../../../src/tensor/program/processor.ts';
import { quantizeInt8 } from '../../../src/tensor/quantize/weights.ts';
import { stockSession } from '../../support/stock-session.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const folder = temporaryFolder('program');
const random = randomStream(3);
const normals = (count: number): Float32Array => Float32Array.from({ length: count }, () => random.normal());
const valuesOf = (data: TensorData | undefined): Float32Array => (data as TensorData).values as Float32Array;

const weight = (name: string, trainable: boolean, values = Float32Array.of(1, 2, 3)): Parameter =>
  parameter(name, { shape: [values.length], trainable }, { from: 'array', values });

describe('a program', () => {
  it('returns named results with their shapes, also inputs and constants, also one value twice', async () => {
    const x = input('x', [2]);
    const y = multiply(x, 3);
    const program = await compile({ outputs: { y, again: y, x, four: constant(4) } });
    const result = await program.run({ x: Float32Array.of(1, 2) });
    expect(result.y).toEqual({ dtype: 'float32', shape: [2], values: Float32Array.of(3, 6) });
    expect(result.again).toEqual(result.y);
    expect([...valuesOf(result.x), ...valuesOf(result.four)]).toEqual([1, 2, 4]);
    await program.dispose();
  });

  it('says which input is missing, unknown or misshapen', async () => {
    const program = await compile({ outputs: { y: add(input('image', [2, 3]), 1) } });
    await expect(program.run({})).rejects.toThrow('input "image" float32[2, 3] was not given');
    await expect(program.run({ picture: 1 })).rejects.toThrow(/no input "picture"; its inputs are image/);
    await expect(program.run({ image: new Float32Array(5) })).rejects.toThrow(/Float32Array of 5/);
    await expect(program.run({ image: new Uint8Array(6) })).rejects.toThrow(/Uint8Array of 6/);
    await program.dispose();
    await program.dispose();
    await expect(program.run({ image: new Float32Array(6) })).rejects.toThrow(/disposed/);
  });

  it('refuses two inputs of one name', async () => {
    const y = add(input('x', [2]), input('x', [2]));
    await expect(compile({ outputs: { y } })).rejects.toThrow(/two inputs or parameters are called "x"/);
  });

  it('updates variables in place of a loop, sharing them between programs', async () => {
    const variables = new Variables();
    const w = weight('w', true);
    const step = await compile(
      { outputs: { w }, updates: [{ variable: w, next: multiply(w, 2) }] },
      { variables },
    );
    const read = await compile({ outputs: { total: sum(w) } }, { variables });
    const results = await Promise.all([step.run(), step.run(), step.run(), read.run()]);
    expect(results.map((result) => valuesOf(result.w ?? result.total)[0])).toEqual([1, 2, 4, 48]);
    expect(variables.values(w)).toEqual(Float32Array.of(8, 16, 24));
    const frozen = await compile({ outputs: { total: sum(w) } }, { variables, freeze: true });
    await step.run();
    expect([valuesOf((await frozen.run()).total)[0], valuesOf((await read.run()).total)[0]]).toEqual([
      48, 96,
    ]);
    for (const program of [step, read, frozen]) await program.dispose();
  });

  it('writes what variables become where it belongs, and makes no copy of it', async () => {
    const w = weight('w', true, new Float32Array(1 << 21).fill(1));
    const program = await compile({ outputs: {}, updates: [{ variable: w, next: multiply(w, 2) }] });
    await program.run();
    await program.run();
    const before = process.memoryUsage().arrayBuffers;
    await program.run();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
    expect(new Set(program.variables.values(w) as Float32Array)).toEqual(new Set([8]));
    await program.dispose();
  });

  it('says what went wrong inside of a run', async () => {
    const y = gather(input('x', [3]), input('at', [1], 'int64'), 0);
    const program = await compile({ outputs: { y } });
    await expect(program.run({ x: new Float32Array(3), at: BigInt64Array.of(7n) })).rejects.toThrow(/range/);
    await program.dispose();
  });

  it('runs several times at once on threads of its own, to the same numbers', async () => {
    const frozen = weight('threads.weight', false, new Float32Array(normals(12 * 5)));
    const x = input('x', [3, 12]);
    const y = linear(x, reshape(frozen, [5, 12]));
    const [here, apart] = [
      await compile({ outputs: { y } }),
      await compile({ outputs: { y } }, { atOnce: 2, threads: 1 }),
    ];
    const fed = Array.from({ length: 5 }, () => new Float32Array(normals(36)));
    const together = await Promise.all(fed.map((values) => apart.run({ x: values })));
    for (const [index, values] of fed.entries()) {
      expect(together[index]).toEqual(await here.run({ x: values }));
    }
    // A part of an array is sent without the rest.
    const part = new Float32Array([...normals(4), ...(fed[0] ?? [])]).subarray(4);
    expect(await apart.run({ x: part })).toEqual(together[0]);
    await here.dispose();
    await apart.dispose();
    const own = weight('threads.own', true);
    await expect(compile({ outputs: { y: multiply(own, 2) } }, { atOnce: 2 })).rejects.toThrow(
      /once at a time/,
    );
  });

  it('draws masks from the stream it is given, the same for the same seed', async () => {
    const scope = Scope.root({ random }).forTraining();
    const program = await compile({ outputs: { y: dropout(scope, input('x', [1000]), 0.25) } });
    const run = async (seed: number) =>
      valuesOf((await program.run({ x: new Float32Array(1000).fill(3) }, { random: randomStream(seed) })).y);
    const first = await run(1);
    expect(await run(1)).toEqual(first);
    expect(await run(2)).not.toEqual(first);
    expect(new Set(first)).toEqual(new Set([0, 4]));
    expect(Math.abs(first.filter((v) => v > 0).length / 1000 - 0.75)).toBeLessThan(0.05);
    await expect(program.run({ x: new Float32Array(1000) })).rejects.toThrow(/give run a random stream/);
    await program.dispose();
  });

  it('refuses unknown providers, and those that are not there, unless told to fall back aloud', async () => {
    const spec = { outputs: { y: add(input('x', [1]), 1) } };
    await expect(compile(spec, { provider: 'gpu' })).rejects.toThrow(
      `unknown provider "gpu"; choose one of ${PROVIDERS.join(', ')}`,
    );
    const absent = process.platform === 'darwin' ? 'dml' : 'coreml';
    await expect(compile(spec, { provider: absent })).rejects.toThrow(/cannot be used: .*; .*use cpu$/);
    if (!process.env.SWARD_HAS_CUDA) {
      await expect(compile(spec, { provider: 'cuda' })).rejects.toThrow(
        /^provider cuda cannot be used: .*; .*use cpu$/,
      );
    }
    const said: string[] = [];
    const program = await compile(spec, { provider: absent, onFallback: (warning) => said.push(warning) });
    expect(program.provider).toBe('cpu');
    expect(said).toEqual([expect.stringMatching(/continuing on cpu$/)]);
    expect(valuesOf((await program.run({ x: Float32Array.of(1) })).y)).toEqual(Float32Array.of(2));
    await program.dispose();
  });

  it('keeps a few shapes compiled, and compiles a disposed one again', async () => {
    const compiled: Shape[] = [];
    const cache = new ProgramCache((shape) => {
      compiled.push(shape);
      return compile({ outputs: { y: sum(input('x', shape)) } });
    }, 2);
    for (const length of [1, 2, 1, 3, 1, 2]) {
      const { y } = await (await cache.for([length])).run({ x: new Float32Array(length).fill(1) });
      expect(valuesOf(y)[0]).toBe(length);
    }
    expect(compiled).toEqual([[1], [2], [3], [2]]);
    await cache.dispose();
    const failing = new ProgramCache(() => Promise.reject(new Error('no')));
    await expect(failing.for([1])).rejects.toThrow('no');
    await expect(failing.for([1])).rejects.toThrow('no');
  });
});

describe('weights in a safetensors file', () => {
  const numbers = normals(12);
  const path = join(folder, 'weights.safetensors');
  const write = () =>
    saveTensors(path, {
      odd: { dtype: 'uint8', shape: [3], values: Uint8Array.of(1, 2, 3) },
      'a.weight': { dtype: 'float32', shape: [3, 4], values: numbers },
      'b.weight': { dtype: 'float16', shape: [3, 4], values: encodeNumbers('float16', numbers) },
      'c.weight': { dtype: 'bfloat16', shape: [3, 4], values: encodeNumbers('bfloat16', numbers) },
    });

  it.each([
    ['a', 'float32', 1e-6],
    ['b', 'float16', 3e-3],
    ['c', 'bfloat16', 3e-2],
  ] as const)(
    '%s: %s are used where they lie, unaligned, frozen or trained',
    async (name, dtype, tolerance) => {
      await write();
      const x = input('x', [2, 4]);
      const feed = normals(8);
      for (const trainable of [false, true]) {
        const scope = Scope.root({ random, trainable: () => trainable }).from(await openSafetensors(path));
        const y = linearLayer(scope.in(name), x, 3, { bias: false });
        expect(scope.parameters[0]?.dtype).toBe(trainable ? 'float32' : dtype);
        const program = await compile({ outputs: { y } });
        const got = valuesOf((await program.run({ x: feed })).y);
        for (let row = 0; row < 2; row++) {
          for (let column = 0; column < 3; column++) {
            let want = 0;
            for (let k = 0; k < 4; k++)
              want += (feed[row * 4 + k] as number) * (numbers[column * 4 + k] as number);
            expect(Math.abs((got[row * 3 + column] as number) - want)).toBeLessThan(tolerance * 4);
          }
        }
        await program.dispose();
      }
    },
  );

  it('that do not fit the model are named with both shapes', async () => {
    await write();
    const scope = Scope.root({ random }).from(await openSafetensors(path));
    expect(() => linearLayer(scope.in('a'), input('x', [1, 5]), 3)).toThrow(
      `${path}: "a.weight" is [3, 4], but the model wants [3, 5]; choose the model the file is for`,
    );
    expect(() => linearLayer(scope.in('d'), input('x', [1, 5]), 3)).toThrow(/no tensor "d.weight"/);
  });
});

describe('quantised linear layers', () => {
  const out = 48;
  const width = 80;
  const values = normals(out * width);
  const path = join(folder, 'big.safetensors');
  const cacheFolder = join(folder, 'quantised');
  const x = input('x', [5, width]);
  const feeds = { x: normals(5 * width) };

  const build = async (): Promise<Tensor> => {
    const tensors = { 'fc.weight': values, 'fc.bias': normals(out) };
    if (!existsSync(path)) {
      await saveTensors(path, {
        'fc.weight': { dtype: 'float32', shape: [out, width], values: tensors['fc.weight'] },
        'fc.bias': { dtype: 'float32', shape: [out], values: tensors['fc.bias'] },
      });
    }
    const scope = Scope.root({ random, trainable: () => false }).from(await openSafetensors(path));
    return linearLayer(scope.in('fc'), x, out);
  };

  const run = async (options: Parameters<typeof compile>[1]): Promise<Float32Array> => {
    const program = await compile({ outputs: { y: await build() } }, options);
    const result = valuesOf((await program.run(feeds)).y);
    await program.dispose();
    return result;
  };

  const error = (a: Float32Array, b: Float32Array): number =>
    Math.hypot(...a.map((value, i) => value - (b[i] as number))) / Math.hypot(...b);

  it.each([
    ['int8', 0.02],
    ['int4', 0.15],
  ] as const)('%s stay near, and are quantised once for ever', async (weights, tolerance) => {
    const own = join(cacheFolder, weights);
    const exact = await run({});
    const quantised = await run({ quantize: { weights, cacheFolder: own } });
    expect(error(quantised, exact)).toBeLessThan(tolerance);
    expect(error(quantised, exact)).toBeGreaterThan(0);
    const files = await readdir(own);
    expect(await run({ quantize: { weights, cacheFolder: own } })).toEqual(quantised);
    expect(await readdir(own)).toEqual(files);
    expect(await run({ quantize: { weights } })).toEqual(quantised);
    const [file] = files as [string];
    const sound = await readFile(join(own, file));
    for (const damaged of ['damaged', Buffer.from(sound).fill(7, sound.length - 8)]) {
      await writeFile(join(own, file), damaged);
      expect(await run({ quantize: { weights, cacheFolder: own } })).toEqual(quantised);
      expect(await readFile(join(own, file))).toEqual(sound);
    }
    await utimes(path, new Date(), new Date(weights === 'int8' ? 1e6 : 2e6));
    await run({ quantize: { weights, cacheFolder: own } });
    expect((await readdir(own)).length).toBeGreaterThan(files.length);
  });

  it.each([undefined, 'int8', 'int4'] as const)(
    'are exported (%s) to a file that needs nothing else',
    async (weights) => {
      const file = join(folder, `model-${weights}.onnx`);
      const y = await build();
      await exportOnnx(
        file,
        { y },
        { ...(weights && { quantize: { weights } }), metadata: { task: 'test' } },
      );
      const session = await stockSession(file);
      const result = await session.run({ x: new OrtTensor('float32', feeds.x, [5, width]) });
      expect(result.y?.data).toEqual(await run(weights ? { quantize: { weights } } : {}));
      await session.release();
    },
  );

  it('keep int8 weights signed, a scale an output, within half a step of the weight', () => {
    const { values: levels, scales } = quantizeInt8(values, out, width);
    expect(levels).toMatchObject({ dtype: 'int8', shape: [width, out] });
    const largest = new Float64Array(out);
    values.forEach((value, i) => {
      const row = Math.floor(i / width);
      const scale = scales.values[row] as number;
      const level = levels.values[(i % width) * out + row] as number;
      expect(Math.abs(level * scale - value)).toBeLessThanOrEqual(scale * 0.5001);
      largest[row] = Math.max(largest[row] as number, Math.abs(level));
    });
    expect([...largest]).toEqual(new Array(out).fill(127));
  });

  it('guard against overflow only where the processor needs it', () => {
    expect(int8ProductsOverflow('x64', 'flags : sse4_2 avx2 avx512f')).toBe(true);
    expect(int8ProductsOverflow('x64', '')).toBe(true);
    expect(int8ProductsOverflow('x64', 'flags : avx2 avx512_vnni fma')).toBe(false);
    expect(int8ProductsOverflow('x64', 'flags : avx2 avx_vnni')).toBe(false);
    expect(int8ProductsOverflow('arm64', '')).toBe(false);
  });

  it('refuses an output called like an input', async () => {
    await expect(exportOnnx(join(folder, 'x.onnx'), { x: add(x, 1) })).rejects.toThrow(/called "x"/);
  });

  it('leaves trainable layers alone, and exports their present values', async () => {
    const w = parameter('w', { shape: [2, 2] }, { from: 'array', values: Float32Array.of(1, 0, 0, 1) });
    const y = linear(input('x', [1, 2]), w);
    const variables = new Variables();
    variables.set(w, Float32Array.of(2, 0, 0, 3));
    const file = join(folder, 'trained.onnx');
    await exportOnnx(file, { y }, { variables, quantize: { weights: 'int8' } });
    const session = await stockSession(file);
    const result = await session.run({ x: new OrtTensor('float32', Float32Array.of(1, 1), [1, 2]) });
    expect(result.y?.data).toEqual(Float32Array.of(2, 3));
    await session.release();
  });
});

describe('numbers in half formats', () => {
  it('round to nearest and come back', () => {
    expect([...decodeNumbers('float16', encodeNumbers('float16', [1, -2.5, 65519, 1e-8, 0.1]))]).toEqual([
      1, -2.5, 65504, 0, 0.0999755859375,
    ]);
    expect([...decodeNumbers('bfloat16', encodeNumbers('bfloat16', [1, 3.140625]))]).toEqual([1, 3.140625]);
    expect([...decodeNumbers('int64', encodeNumbers('int64', [3, -7.9]))]).toEqual([3, -7]);
  });
});
