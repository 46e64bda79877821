import { z } from 'zod';
import {
  add,
  concat,
  dropout,
  gelu,
  linearLayer,
  relu,
  type Scope,
  silu,
  type Tensor,
  zeros,
} from '../../tensor/index.ts';
import { type Features, flattened } from './features.ts';
import { type Heads, type MassUnit, massesOfComponents } from './masses.ts';

/** Layers on the flattened features. */
export const mlpSettings = z.strictObject({
  kind: z.literal('mlp'),
  hidden: z
    .preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(z.int().min(1)))
    .default([256])
    .describe('widths of the hidden layers'),
  inputDropout: z.number().min(0).lt(1).default(0).describe('share of the features dropped in training'),
  dropout: z.number().min(0).lt(1).default(0.3).describe('share of every hidden layer dropped in training'),
  activation: z.enum(['relu', 'gelu', 'silu']).default('gelu').describe('bend of the hidden layers'),
  skip: z.boolean().default(false).describe('whether a linear path goes around the hidden layers'),
});

type MlpSettings = z.output<typeof mlpSettings>;

const ACTIVATIONS = { relu, gelu, silu } as const satisfies Record<
  MlpSettings['activation'],
  (x: Tensor) => Tensor
>;

/**
 * Hidden layers over all features of a photo side by side; green, dead and clover from the last one, sums derived.
 * Names: `layers.K`, `output`, `skip`.
 */
export function mlpHead(scope: Scope, features: Features, settings: MlpSettings, unit: MassUnit): Heads {
  const { hidden, activation, skip } = settings;
  const flat = flattened(features.parts);
  const whole = features.extra ? concat([flat, features.extra], -1) : flat;
  const given = dropout(scope.in('input'), whole, settings.inputDropout);
  let x = given;
  hidden.forEach((width, index) => {
    const layer = scope.in('layers').in(index);
    x = dropout(layer, ACTIVATIONS[activation](linearLayer(layer, x, width)), settings.dropout);
  });
  const answer = linearLayer(scope.in('output'), x, 3);
  // The linear path starts at nothing, so that it adds only what training makes of it.
  const logits = skip
    ? add(answer, linearLayer(scope.in('skip'), given, 3, { bias: false, weightInitializer: zeros }))
    : answer;
  return { masses: massesOfComponents(unit(logits, [0, 1, 2])), embedding: x };
}
