import type { Parameter, Tensor } from './operator.ts';

/** A variable and what it becomes at the end of every run. */
export interface Update {
  readonly variable: Parameter;
  readonly next: Tensor;
}
