import { SwardError } from '../../ground/errors.ts';

/** A run that cannot be opened: it says nothing of the photo that it was asked about. */
export class RunUnusable extends SwardError {
  override name = 'RunUnusable';
}

/** Its name, by which the server knows it of a child. */
export const RUN_UNUSABLE = 'RunUnusable';
