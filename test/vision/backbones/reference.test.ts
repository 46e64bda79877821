import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { randomStream } from '../../../src/ground/random.ts';
import { compile, input, Scope, type Tensor } from '../../../src/tensor/index.ts';
import { makeBackbone } from '../../../src/vision/backbones/index.ts';
import { formulaPicture, formulaWeights } from './reference/formula.ts';
import { expectAlike, summarySchema } from './reference/summary.ts';

const casesSchema = z.record(
  z.string(),
  z.object({
    side: z.int(),
    features: summarySchema,
    pooled: summarySchema,
    blocks: z.array(summarySchema),
  }),
);

const cases = casesSchema.parse(
  JSON.parse(readFileSync(new URL('reference/lite.json', import.meta.url), 'utf8')),
);

describe('EfficientNet-Lite at its real size', () => {
  it.each(Object.entries(cases))('%s gives what timm gives', async (variant, { side, ...want }) => {
    const backbone = makeBackbone('efficientnet', { variant });
    const scope = Scope.root({ random: randomStream(0), trainable: () => false }).withValues(
      formulaWeights(backbone),
    );
    const output = backbone.forward(scope, input('images', [1, 3, side, side]));
    const outputs: Record<string, Tensor> = { features: output.features, pooled: output.pooled };
    for (const [number, { patches }] of output.blocks.entries()) outputs[`block ${number}`] = patches;
    const program = await compile({ outputs }, { threads: 2 });
    const results = await program.run({ images: formulaPicture(side) });
    await program.dispose();
    expectAlike('features', results.features, want.features);
    expectAlike('pooled', results.pooled, want.pooled);
    expect(output.blocks).toHaveLength(want.blocks.length);
    for (const [number, block] of want.blocks.entries()) {
      expectAlike(`block ${number}`, results[`block ${number}`], block);
    }
  });
});
