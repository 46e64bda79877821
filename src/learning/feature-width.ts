import { countOf } from '../ground/counts.ts';
import { InputError } from '../ground/errors.ts';
import type { Matrix } from '../ground/matrix.ts';

/** @throws InputError when features have another width than those trained on */
export function requireWidth(inputs: Matrix, width: number): void {
  if (inputs.columns === width) return;
  throw new InputError(
    'features',
    `have ${countOf(inputs.columns, 'column')}, but the model was trained on ${width}`,
    'make them with the same backbone and settings',
  );
}
