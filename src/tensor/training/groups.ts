import { UsageError } from '../../ground/errors.ts';
import type { Parameter } from '../graph/operator.ts';
import type { ParameterGroup } from './optimizers.ts';

/** How one parameter is treated: see `ParameterGroup`. */
export interface Treatment {
  readonly rateScale?: number;
  readonly weightDecay?: number;
}

/** Decides a parameter's treatment, or part of it; `undefined` leaves it as it is. */
export type GroupRule = (parameter: Parameter) => Treatment | undefined;

/**
 * Sorts parameters into groups of equal treatment. Rules are asked in order: rate scales multiply, the last
 * weight decay named wins.
 */
export function parameterGroups(
  parameters: readonly Parameter[],
  rules: readonly GroupRule[],
): ParameterGroup[] {
  const groups = new Map<string, ParameterGroup & { parameters: Parameter[] }>();
  for (const parameter of parameters) {
    let rateScale = 1;
    let weightDecay: number | undefined;
    for (const rule of rules) {
      const treatment = rule(parameter);
      rateScale *= treatment?.rateScale ?? 1;
      weightDecay = treatment?.weightDecay ?? weightDecay;
    }
    const key = `${rateScale} ${weightDecay}`;
    const group = groups.get(key) ?? {
      rateScale,
      ...(weightDecay !== undefined && { weightDecay }),
      parameters: [],
    };
    group.parameters.push(parameter);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/**
 * No weight decay for norms, biases, LayerScale, tokens and position embeddings: everything with at most one
 * axis longer than 1, and what is called like a position embedding (timm's `param_groups_weight_decay`).
 */
export const withoutDecayForSmall: GroupRule = ({ name, shape }) =>
  shape.filter((length) => length > 1).length <= 1 || /(^|\.)pos_embed$/.test(name)
    ? { weightDecay: 0 }
    : undefined;

/** A rate of its own for parameters whose name starts with a prefix (`backbone.`). */
export const ratesByPrefix =
  (scales: Readonly<Record<string, number>>): GroupRule =>
  ({ name }) => {
    const prefix = Object.keys(scales).find((start) => name.startsWith(start));
    return prefix === undefined ? undefined : { rateScale: scales[prefix] as number };
  };

/**
 * Layer-wise rate decay: layer k of n gets `decay^(n − k)`, so that what is near the input moves least
 * (Clark et al. 2020; BEiT).
 *
 * @param layerOf the layer a name belongs to: 0 for embeddings, 1 … n for blocks; undefined: full rate
 * @throws UsageError when decay is not in (0, 1]
 */
export function layerwiseDecay(
  decay: number,
  layers: number,
  layerOf: (name: string) => number | undefined,
): GroupRule {
  if (!(decay > 0 && decay <= 1)) throw new UsageError(`layer-wise decay ${decay} must lie in (0, 1]`);
  return ({ name }) => {
    const layer = layerOf(name);
    return layer === undefined ? undefined : { rateScale: decay ** (layers - layer) };
  };
}

/** `layerOf` for transformers named as timm's: `…blocks.K.…` is layer K + 1, embeddings are 0. */
export function blockLayer(name: string): number | undefined {
  const block = /(?:^|\.)blocks\.(\d+)\./.exec(name)?.[1];
  if (block !== undefined) return Number(block) + 1;
  return /(^|\.)(patch_embed|pos_embed|cls_token|reg_token)/.test(name) ? 0 : undefined;
}
