// Fine-tunes the last block and head of a tiny ViT: how bright is the picture? npx tsx docs/examples/fine-tune-a-vit.ts
import { pathToFileURL } from 'node:url';
import { randomStream } from '../../src/ground/random.ts';
import * as t from '../../src/tensor/index.ts';

function vit(scope: t.Scope, image: t.Tensor): t.Tensor {
  const stem = t.convolutionLayer(scope.in('patch_embed.proj'), image, 32, [4, 4], { stride: 4 });
  let x = t.transpose(t.reshape(stem, [8, 32, 16]), [0, 2, 1]);
  for (const index of [0, 1]) {
    const block = scope.in(`blocks.${index}`);
    const normal = t.layerNormLayer(block.in('norm1'), x, 1e-6);
    x = t.add(x, t.multiHeadAttention(block.in('attn'), normal, { heads: 4 }));
    x = t.add(x, t.mlp(block.in('mlp'), t.layerNormLayer(block.in('norm2'), x, 1e-6), { hidden: 64 }));
  }
  return t.linearLayer(scope.in('head'), t.mean(x, { axes: [1] }), 1);
}

/** @returns the loss of every step; give `scope` the `.from(await openSafetensors(path))` of real weights */
export async function fineTune(steps = 150): Promise<number[]> {
  const tuned = (name: string): boolean => /^(blocks\.1|head)\./.test(name);
  const scope = t.Scope.root({ random: randomStream(0), trainable: tuned });
  const predicted = vit(scope.forTraining(), t.input('image', [8, 3, 16, 16]));
  const weights = scope.parameters.filter(({ trainable }) => trainable);
  const groups = t.parameterGroups(weights, [t.withoutDecayForSmall, t.ratesByPrefix({ 'blocks.': 0.1 })]);
  const loss = t.meanSquaredError(predicted, t.input('target', [8, 1]));
  const training = await t.Training.compile({ loss, optimizer: t.adamW(), groups, random: randomStream(1) });
  const rate = t.cosineWithWarmUp({ rate: 0.01, steps, warmUp: 10 });
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const target = Float32Array.from({ length: 8 }, (_, n) => randomStream(8 * step + n).normal());
    const image = Float32Array.from({ length: 8 * 768 }, (_, i) => target[Math.floor(i / 768)] as number);
    losses.push((await training.run({ image, target }, rate(step))).loss);
  }
  await training.dispose();
  return losses;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log((await fineTune()).at(-1));
