import { join } from 'node:path';
import { expect, it } from 'vitest';
import { randomStream } from '../../../src/ground/random.ts';
import {
  compile,
  input,
  linearLayer,
  openSafetensors,
  Scope,
  saveTensors,
} from '../../../src/tensor/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const folder = temporaryFolder('trained-weights');
const tensor = (shape: number[], values: number[]) => ({
  dtype: 'float32' as const,
  shape,
  values: Float32Array.from(values),
});

it('comes before the checkpoint, adapters included, and leaves the rest to it', async () => {
  const [base, trained] = [join(folder, 'base.safetensors'), join(folder, 'trained.safetensors')];
  await saveTensors(base, { 'fc.weight': tensor([1, 2], [1, 2]), 'fc.bias': tensor([1], [100]) });
  await saveTensors(trained, {
    'fc.bias': tensor([1], [10]),
    'fc.lora_a': tensor([1, 2], [1, 1]),
    'fc.lora_b': tensor([1, 1], [3]),
  });
  const root = Scope.root({ random: randomStream(0), trainable: () => false });
  const scope = root
    .in('model')
    .from(await openSafetensors(base))
    .withTrained(await openSafetensors(trained));
  const y = linearLayer(scope.withLora({ rank: 1 }).in('fc'), input('x', [1, 2]), 1);
  const program = await compile({ outputs: { y } });
  const result = await program.run({ x: Float32Array.from([5, 7]) });
  await program.dispose();
  // 5·1 + 7·2 + 10 from the layer, 3·(5 + 7) from the adapter.
  expect(result.y?.values[0]).toBeCloseTo(19 + 10 + 36, 4);
});
