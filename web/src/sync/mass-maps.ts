import { InputError } from '../../../src/ground/errors.ts';
import { ask } from './farm-server.ts';

/** A photo in grey under colours that say where the mass is. */
export interface MassMap {
  readonly picture: Blob;
  /** What the last colour stands for, kg DM/ha. */
  readonly scaleTop: number;
}

/** Maps that the server draws, asked for one at a time: each takes it as long as an estimate. */
export class MassMaps {
  #last: Promise<unknown> = Promise.resolve();

  /** @throws ServerRefusal, Unreachable; whatever `signal` says of one that is not wanted any more */
  of(photoId: string, signal: AbortSignal): Promise<MassMap> {
    const map = this.#last.then(async () => {
      signal.throwIfAborted();
      const answer = await ask(`/api/photos/${photoId}/map`, { signal });
      const scaleTop = Number(answer.headers.get('sward-scale-top'));
      if (!(scaleTop > 0)) throw new InputError('the map', 'has no scale', 'start a newer server');
      return { picture: await answer.blob(), scaleTop };
    });
    this.#last = map.catch(() => {});
    return map;
  }
}
