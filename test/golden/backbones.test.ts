import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/ground/random.ts';
import {
  compile,
  input,
  loadTensors,
  openSafetensors,
  pullBack,
  Scope,
  type Tensor,
  type TensorData,
} from '../../src/tensor/index.ts';
import { ARCHITECTURE_NAMES, checkWeights, makeBackbone } from '../../src/vision/backbones/index.ts';

const root = process.env.SWARD_GOLDEN ?? join(process.env.SWARD_SHARED ?? '../shared', 'golden');

const OUTPUT_TOLERANCE = 1e-4;
const GRADIENT_TOLERANCE = 1e-3;

interface Case {
  readonly folder: string;
  readonly arch: string;
  readonly config: unknown;
}

const readCase = (folder: string): Case => ({
  folder,
  ...(JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as { arch: string; config: unknown }),
});

const cases = existsSync(root)
  ? readdirSync(root)
      .map((name) => join(root, name))
      .filter((folder) => existsSync(join(folder, 'case.json')))
      .map(readCase)
      .filter(({ arch }) => typeof arch === 'string')
  : [];
const known = cases.filter(({ arch }) => ARCHITECTURE_NAMES.includes(arch));
const unknown = cases.filter(({ arch }) => !ARCHITECTURE_NAMES.includes(arch));

/** ‖x − reference‖ / ‖reference‖ */
function relativeError(got: TensorData | undefined, want: TensorData | undefined): number {
  if (got === undefined || want === undefined) throw new Error('a tensor to compare is not there');
  expect(got.shape).toEqual(want.shape);
  const reference = want.values as Float32Array;
  let difference = 0;
  let size = 0;
  (got.values as Float32Array).forEach((value, i) => {
    difference += (value - (reference[i] as number)) ** 2;
    size += (reference[i] as number) ** 2;
  });
  return Math.sqrt(difference / size);
}

async function openCase({ folder, arch, config }: Case, trainable: boolean) {
  const { tensors } = await loadTensors(join(folder, 'case.safetensors'));
  const weights = await openSafetensors(join(folder, 'model.safetensors'));
  const backbone = makeBackbone(arch, config);
  checkWeights(backbone, weights);
  const scope = Scope.root({ random: randomStream(0), trainable: () => trainable }).from(weights);
  const images = input('images', tensors.input?.shape ?? []);
  const output = backbone.forward(scope, images);
  const outputs: Record<string, Tensor> = { features: output.features, pooled: output.pooled };
  for (const name of Object.keys(tensors)) {
    const [, index, kind] = /^block(\d+)\.(patch|prefix)_tokens$/.exec(name) ?? [];
    const block = index === undefined ? undefined : output.blocks[Number(index)];
    const tokens = kind === 'prefix' ? block?.prefix : block?.patches;
    if (tokens) outputs[name] = tokens;
    else expect(index, `${name} has no counterpart`).toBeUndefined();
  }
  return { tensors, backbone, scope, images, outputs, feeds: { images: tensors.input as TensorData } };
}

describe('golden backbones', () => {
  if (cases.length === 0) it.skip(`${root} has no case of a backbone`, () => {});

  for (const { folder, arch } of unknown) it.skip(`${folder}: architecture "${arch}" is not there`, () => {});

  describe.each(known)('$folder', (golden) => {
    it('gives the reference outputs with frozen weights read in place', async () => {
      const { tensors, outputs, feeds } = await openCase(golden, false);
      const program = await compile({ outputs }, { threads: 2 });
      const results = await program.run(feeds);
      for (const name of Object.keys(outputs)) {
        expect(relativeError(results[name], tensors[name]), name).toBeLessThanOrEqual(OUTPUT_TOLERANCE);
      }
      await program.dispose();
    });

    it('gives the reference outputs and every gradient with trainable weights', async () => {
      const { tensors, scope, images, outputs, feeds } = await openCase(golden, true);
      const names = Object.keys(tensors)
        .filter((name) => name.startsWith('grad.'))
        .map((name) => name.slice('grad.'.length));
      const parameters = new Map<string, Tensor>(scope.parameters.map((x) => [x.name, x]));
      const sources = names.map((name) => {
        const source = name === 'input' ? images : parameters.get(name);
        if (source === undefined) throw new Error(`the model has no parameter ${name}`);
        return source;
      });
      const pooled = outputs.pooled as Tensor;
      const pulled = pullBack(pooled, input('cotangent', pooled.shape), sources);
      const gradients = Object.fromEntries(
        names.map((name, i) => [`grad.${name}`, pulled[i] as Tensor] as const),
      );
      const program = await compile({ outputs: { ...outputs, ...gradients } }, { threads: 2 });
      const results = await program.run({ ...feeds, cotangent: tensors.cotangent as TensorData });
      for (const name of Object.keys(outputs)) {
        expect(relativeError(results[name], tensors[name]), name).toBeLessThanOrEqual(OUTPUT_TOLERANCE);
      }
      for (const name of Object.keys(gradients)) {
        expect(relativeError(results[name], tensors[name]), name).toBeLessThanOrEqual(GRADIENT_TOLERANCE);
      }
      expect(names.length).toBeGreaterThan(1);
      await program.dispose();
    });
  });
});
