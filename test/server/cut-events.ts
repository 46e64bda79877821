import { randomUUID } from 'node:crypto';
import type { CutEvent } from '../../src/farm/index.ts';

/** Everything that is written of a cut of a quarter square metre at 4 cm: a hundred grams wet, half of it dried. */
export function cutEvents({ dry }: { readonly dry: number }): CutEvent[] {
  const at = (hour: number): string => new Date(Date.UTC(2026, 10, 3, hour)).toISOString();
  const steps: CutEvent['change'][] = [
    {
      kind: 'frame-placed',
      at: at(0),
      frameAreaSquareMetres: 0.25,
      cuttingHeightCentimetres: 4,
      position: null,
    },
    { kind: 'wet-weighed', at: at(1), grossGrams: 200, bagGrams: 0, tared: true },
    { kind: 'subsampled', at: at(2), wetGrams: 100 },
    { kind: 'drying-started', at: at(3), method: 'oven', celsius: 80 },
    { kind: 'dry-weighed', at: at(20), dryGrams: dry },
    { kind: 'dry-weighed', at: at(23), dryGrams: dry },
    { kind: 'sorted', at: at(24), greenGrams: dry / 2, deadGrams: dry / 4, cloverGrams: dry / 4 },
  ];
  return steps.map((change) => ({
    id: randomUUID(),
    recordedAt: change.kind === 'corrected' || change.kind === 'withdrawn' ? at(0) : change.at,
    change,
  }));
}
