import { targetsFromComponents } from '../pasture/physics.ts';
import type { Targets } from '../pasture/targets.ts';
import { gramsToKilogramsPerHectare } from '../pasture/units.ts';
import { type CutState, sortedGrams } from './cut-state.ts';
import { cutWarnings } from './cut-warnings.ts';
import { dryGrams } from './dry-matter.ts';
import type { Source } from './provenance.ts';

/** What a cut weighs dry. */
export interface CutResult {
  /** Dry matter of the sub-sample, 0 to 1; null of a bare frame. */
  readonly dryMatter: number | null;
  /** Of the whole frame. */
  readonly dryGrams: number;
  readonly kgDmPerHa: number;
  /** Grams on the frame; null until it is sorted. A bare frame has none of any. */
  readonly masses: Targets | null;
  readonly frameAreaSquareMetres: number;
  readonly cuttingHeightCentimetres: number;
  /** Whether the weight stayed, so that the cut may correct estimates and be trained on. */
  readonly settled: boolean;
  readonly warnings: readonly string[];
  readonly source: Source;
  readonly from: readonly string[];
}

/**
 * What a cut weighs, as far as it is known: null before it is weighed dry. Sorted fractions are shares of what was sorted,
 * applied to the dry matter of the whole frame.
 */
export function cutResult(state: CutState): CutResult | null {
  const { stage, frame, wet, subsample, dryWeighings } = state;
  const last = dryWeighings.at(-1);
  if (!frame || !wet) return null;
  const about = {
    frameAreaSquareMetres: frame.frameAreaSquareMetres,
    cuttingHeightCentimetres: frame.cuttingHeightCentimetres,
    warnings: cutWarnings(state),
    source: 'measured',
  } as const;
  if (stage === 'bare') {
    const masses = targetsFromComponents({ green: 0, dead: 0, clover: 0 });
    const from = ['a frame in which nothing grew'];
    return { ...about, dryMatter: null, dryGrams: 0, kgDmPerHa: 0, masses, settled: true, from };
  }
  if (!subsample || !last) return null;
  const dryMatter = last.dryGrams / subsample.wetGrams;
  const dry = dryGrams(wet, dryMatter);
  return {
    ...about,
    dryMatter,
    dryGrams: dry,
    kgDmPerHa: gramsToKilogramsPerHectare(dry, frame.frameAreaSquareMetres),
    masses: sortedMasses(state, dry),
    settled: stage === 'dry' || stage === 'sorted',
    from: [`wet weight of the frame, and ${subsample.wetGrams} g of it dried to ${last.dryGrams} g`],
  };
}

function sortedMasses({ sorted }: CutState, dry: number): Targets | null {
  if (!sorted) return null;
  const share = dry / sortedGrams(sorted);
  return targetsFromComponents({
    green: sorted.greenGrams * share,
    dead: sorted.deadGrams * share,
    clover: sorted.cloverGrams * share,
  });
}
