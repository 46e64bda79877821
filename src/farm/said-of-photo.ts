import { type ByMass, byMass } from '../pasture/targets.ts';
import { gramsToKilogramsPerHectare } from '../pasture/units.ts';
import { vouchedBy } from './error-record.ts';
import type { Estimate } from './estimate.ts';

/** What a run says of a photo, without a name for either. */
export type SaidOfPhoto = Pick<
  Estimate,
  'masses' | 'frameAreaSquareMetres' | 'kgDmPerHa' | 'interval' | 'outOfDomain' | 'trainedOn' | 'height'
>;

/** A run's answer as runs give it, with what the photo's record says. */
interface RunsAnswer
  extends Pick<Estimate, 'frameAreaSquareMetres' | 'outOfDomain' | 'trainedOn' | 'height'> {
  /** Grams on the frame; NaN of masses that the run does not predict. */
  readonly targets: ByMass<number>;
  readonly intervals: ByMass<{ readonly low: number; readonly high: number }> | null;
  /** Of the intervals; null where there are none. */
  readonly coverage: number | null;
  /** Sessions that the intervals are calibrated on. */
  readonly sessions: number;
}

const atLeastNothing = (value: number): number | null => (Number.isFinite(value) ? Math.max(0, value) : null);

/**
 * What a run says of a photo as a farm keeps it, the same on a phone as on the server: per hectare of the frame that the
 * photo shows, no mass below nothing, whatever a run without a clip says, and intervals that claim no more than the run's
 * sessions can vouch for.
 */
export function saidOfPhoto({
  targets,
  intervals,
  coverage,
  sessions,
  frameAreaSquareMetres,
  outOfDomain,
  trainedOn = null,
  height,
}: RunsAnswer): SaidOfPhoto {
  return {
    masses: byMass((mass) => atLeastNothing(targets[mass])),
    frameAreaSquareMetres,
    kgDmPerHa: byMass((mass) =>
      atLeastNothing(gramsToKilogramsPerHectare(targets[mass], frameAreaSquareMetres)),
    ),
    interval:
      coverage === null
        ? null
        : {
            coverage: Math.min(coverage, vouchedBy({ sessions })),
            ...byMass((mass): [number, number] | null => {
              const [low, high] = [intervals?.[mass].low, intervals?.[mass].high].map((end) =>
                atLeastNothing(end ?? Number.NaN),
              );
              return low === null || low === undefined || high === null || high === undefined
                ? null
                : [low, high];
            }),
          },
    outOfDomain,
    trainedOn,
    height,
  };
}
