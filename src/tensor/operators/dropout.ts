import type { Tensor } from '../graph/tensor.ts';
import { multiply } from './arithmetic.ts';
import { cast } from './cast.ts';

/**
 * `x · mask / keep`: elements whose mask is 0 are dropped, the others scaled so that the mean stays
 * (Srivastava et al. 2014). A mask with axes of length 1 drops whole rows, as stochastic depth does.
 *
 * @param mask bool, broadcasts to `x`; made by `randomMask`
 * @param keep the probability it was made with
 */
export const dropWith = (x: Tensor, mask: Tensor, keep: number): Tensor =>
  multiply(x, multiply(cast(mask, x.dtype), 1 / keep));
