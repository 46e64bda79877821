import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reconcileGraph } from '../../../src/estimators/masses/reconcile-graph.ts';
import { reconcile } from '../../../src/pasture/reconcile.ts';
import { targetsFromArray, targetsToArray } from '../../../src/pasture/targets.ts';
import { runGraph } from './graphs.ts';

const mass = fc.double({ min: -80, max: 120, noNaN: true });
const photos = 32;

describe('the nearest physical masses as a graph', () => {
  it('are those of reconcile', async () => {
    const table = fc.array(mass, { minLength: 5 * photos, maxLength: 5 * photos });
    await fc.assert(
      fc.asyncProperty(table, async (values) => {
        const free = { rows: photos, columns: 5, data: Float64Array.from(values) };
        const computed = await runGraph(free, reconcileGraph);
        for (let photo = 0; photo < photos; photo++) {
          const expected = targetsToArray(reconcile(targetsFromArray(free.data, 5 * photo)));
          expected.forEach((value, target) => {
            expect(computed[5 * photo + target]).toBeCloseTo(value, 6);
          });
        }
      }),
      { numRuns: 10 },
    );
  });
});
