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
import type { MlpSettings } from './settings.ts';

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
  // The linear path starts at nothing, so that it adds only what it has learnt.
  const logits = skip
    ? add(answer, linearLayer(scope.in('skip'), given, 3, { bias: false, weightInitializer: zeros }))
    : answer;
  return { masses: massesOfComponents(unit(logits, [0, 1, 2])), embedding: x };
}
