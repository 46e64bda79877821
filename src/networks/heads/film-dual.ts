import { z } from 'zod';
import {
  add,
  concat,
  dropout,
  film,
  linearLayer,
  multiply,
  relu,
  type Scope,
  type Tensor,
  tanh,
} from '../../tensor/index.ts';
import { type Features, halfMeans, widthOf } from './features.ts';
import { type Heads, type MassUnit, massesOfComponents, sideBySide } from './masses.ts';

/** Seed 2: halves modulated by their mean; heads for green, clover and dead. */
export const filmDualSettings = z.strictObject({
  kind: z.literal('film-dual'),
  hidden: z.int().min(1).default(256).describe('width of the heads’ hidden layer'),
  gamma: z
    .enum(['free', 'tanh'])
    .default('free')
    .describe('whether γ of the modulation is free, or kept in ±1 by tanh'),
  dropout: z.number().min(0).lt(1).default(0.1).describe('share of every layer dropped in training'),
});

type FilmDualSettings = z.output<typeof filmDualSettings>;

/** Names of the heads, and which mass each answers with. */
const HEADS = [
  ['head_green', 0],
  ['head_dead', 1],
  ['head_clover', 2],
] as const;

/**
 * Seed 2: each half modulated by a network of the mean of both (FiLM, Perez et al. 2018), side by side, and one
 * head each for green, dead and clover; sums derived. A photo that is not halved is its own other half. Names:
 * `film.mlp.0`, `film.mlp.2`, `head_green.0`, `head_green.3`, …
 */
export function filmDual(
  scope: Scope,
  features: Features,
  settings: FilmDualSettings,
  unit: MassUnit,
): Heads {
  const combined = modulatedHalves(scope.in('film'), bothHalves(features), settings.gamma);
  const whole = features.extra ? concat([combined, features.extra], -1) : combined;
  const embedding = dropout(scope, whole, settings.dropout);
  const columns = HEADS.map(([name, mass]) => {
    const head = scope.in(name);
    const inside = dropout(head, relu(linearLayer(head.in(0), embedding, settings.hidden)), settings.dropout);
    return unit(linearLayer(head.in(3), inside, 1), [mass]);
  });
  return { masses: massesOfComponents(sideBySide(columns)), embedding };
}

/** The two halves, pooled: `[batch, dim]` each. */
function bothHalves(features: Features): readonly [Tensor, Tensor] {
  const [left, right] = halfMeans(features) as [Tensor, Tensor?];
  return [left, right ?? left];
}

/** Both halves modulated by their mean, γ being free or kept in ±1: left ‖ right `[batch, 2 · dim]`. */
export function modulatedHalves(
  scope: Scope,
  [left, right]: readonly [Tensor, Tensor],
  gamma: FilmDualSettings['gamma'] = 'free',
): Tensor {
  const context = multiply(add(left, right), 0.5);
  const hidden = Math.max(1, Math.floor(widthOf(context) / 2));
  const modulate = film(scope, context, {
    hidden,
    activation: relu,
    ...(gamma === 'tanh' && { bound: tanh }),
  });
  return concat([modulate(left), modulate(right)], -1);
}
