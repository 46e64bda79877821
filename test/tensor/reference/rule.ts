import type { Shape } from '../../../src/tensor/graph/shape.ts';
import type { Doubles } from './arrays.ts';

/** A naive computation of one operator's outputs, whose shapes are given. */
export type Rule = (inputs: readonly Doubles[], attributes: unknown, shapes: readonly Shape[]) => Doubles[];
