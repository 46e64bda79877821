import { describe, expect, it } from 'vitest';
import { predictionSummary } from '../../src/cli/predict-summary.ts';
import type { PhotoPrediction } from '../../src/runs/prediction.ts';
import { masses } from '../report/run-results.ts';

const photos = (count: number): PhotoPrediction[] =>
  Array.from({ length: count }, (_, index) => ({
    imageId: `P${index}`,
    path: null,
    targets: masses(30, 10, 5),
    folds: [masses(30, 10, 5)],
    dropoutSpread: null,
    intervals: null,
    outOfDomain: null,
    trainedOn: null,
  }));

describe('predictions on the screen', () => {
  it('say where those are that are too many for it', () => {
    const area = 0.21;
    const written = predictionSummary(photos(23), null, { area, out: 'masses.csv' });
    expect(written).toMatch(/^3 more photos in the file\nmasses\.csv: 23 photos$/m);
    const shown = predictionSummary(photos(21), null, { area });
    expect(shown).toMatch(/^1 more photo not shown; --out FILE writes all$/m);
    expect(shown).not.toMatch(/in the file/);
    expect(predictionSummary(photos(20), null, { area })).not.toMatch(/more photo/);
  });
});
