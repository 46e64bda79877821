import type { Answering, RunReference } from '../../../src/farm/index.ts';
import { STARTER } from './starter.ts';

/** A run that this device evaluates itself. */
export interface PhoneRun {
  readonly run: RunReference;
  /** Address of its model. */
  readonly folder: string;
}

/** What a device by itself answers with. */
const BY_ITSELF: PhoneRun = { run: STARTER, folder: '/models/starter/' };

/** What is to answer photos on this device: a run, or the server alone, and why. */
export type Wanted =
  | { readonly kind: 'here'; readonly phoneRun: PhoneRun }
  | { readonly kind: 'server'; readonly run: RunReference; readonly why: string };

/**
 * What is to answer photos on this device.
 *
 * @param said what the farm's server said last; null of a device by itself
 * @param last what this device answered with last: it goes on with that while the farm's run is made ready
 */
export function wantedOf(said: Answering | null, last: PhoneRun | null): Wanted {
  if (!said) return { kind: 'here', phoneRun: BY_ITSELF };
  const { phone } = said;
  const { id, name, hash } = said.run;
  const run = { id, name, hash };
  if (phone.kind === 'ready') return { kind: 'here', phoneRun: { run, folder: phone.folder } };
  if (phone.kind === 'none') return { kind: 'server', run, why: phone.why };
  return { kind: 'here', phoneRun: last ?? BY_ITSELF };
}
