import type { PickleStorage, PickleValue } from './pickle-values.ts';
import type { StoredBytes } from './tensor-view.ts';

/** What a file of `torch.save` holds, whatever the form it lies in. */
export interface CheckpointContent {
  readonly value: PickleValue;
  /**
   * Where the bytes of a storage lie.
   *
   * @param name of the tensor that needs it, for messages
   * @throws InputError when they are not there, or not as many as stated
   */
  storage(name: string, wanted: PickleStorage): Promise<StoredBytes>;
}
