import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readFeatureTables } from '../../src/data/feature-tables.ts';
import { MASS_NAMES } from '../../src/pasture/targets.ts';
import { openRun } from '../../src/runs/open-run.ts';
import type { MemberOptions } from '../../src/runs/trained-run.ts';
import { featureRows, Samples, unknownSample } from '../../src/samples/samples.ts';
import { type EnsembleOptions, makeEnsemble } from '../../src/workflows/ensemble/ensemble.ts';
import { trainRun } from '../../src/workflows/train/train.ts';
import { featureSource, type SmallFeatureFiles, writeSmallFeatures } from '../support/small-feature-files.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { resolveRecipe } from '../support/written-settings.ts';

const root = temporaryFolder('ensemble-dropout');
let files: SmallFeatureFiles;

async function train(name: string, recipe: string, file: number, changes: readonly string[], folds = 5) {
  await trainRun({
    source: featureSource(files, file),
    recipe: await resolveRecipe(recipe, [...changes, 'evaluation.leaveOneStateOut=false']),
    out: join(root, name),
    plan: { folds },
  });
  return join(root, name);
}

const ensemble = (
  out: string,
  options: Pick<EnsembleOptions, 'runs'> & Partial<EnsembleOptions>,
): Promise<unknown> => makeEnsemble({ out: join(root, out), method: 'nnls', ...options });

describe('dropout left on in an ensemble', () => {
  const samplesOf = async (features: readonly string[]): Promise<Samples> => {
    const { ids, matrix } = await readFeatureTables(features, files.ids);
    return new Samples(ids.map(unknownSample), featureRows(matrix));
  };

  const spreadsOf = async (
    folder: string,
    features: readonly string[],
    options: MemberOptions,
  ): Promise<number[][]> => {
    await using run = await openRun(folder);
    const predicted = await run.predict(await samplesOf(features), options);
    return predicted.map(({ dropoutSpread }) =>
      MASS_NAMES.map((name) => dropoutSpread?.[name] ?? Number.NaN),
    );
  };

  const spreads = (run: string, members: number, options: MemberOptions): Promise<number[][]> =>
    spreadsOf(run, files.features.slice(0, members), options);

  const trainNetwork = (name: string, file: number, dropout: number, folds = 5): Promise<string> =>
    train(
      name,
      'feature-mlp',
      file,
      [
        ...['estimator.architecture.hidden=8', `estimator.architecture.dropout=${dropout}`],
        ...['estimator.epochs=3', 'estimator.members=1'],
      ],
      folds,
    );

  let [network, fewer, sure, second] = ['', '', '', ''];
  beforeAll(async () => {
    files = await writeSmallFeatures(join(root, 'data'), 60, 2);
    network = await trainNetwork('network', 0, 0.3);
    fewer = await trainNetwork('fewer', 1, 0.3, 2);
    sure = await trainNetwork('sure', 1, 0);
    second = await train('ridge', 'feature-ridge', 1, ['estimator.kind=ridge', 'estimator.penalties=0.1']);
  });

  it('scatters by the share of the members that have it, and others add none', async () => {
    for (const [name, rest] of [
      ['ridge', second],
      ['sure', sure],
    ] as const) {
      const out = `dropout-with-${name}`;
      await ensemble(out, { runs: [network, rest], method: 'given', weights: [0.3, 0.7] });
      const alone = await spreads(network, 1, { dropoutSamples: 6, member: 0 });
      const together = await spreads(join(root, out), 2, { dropoutSamples: 6 });
      expect(together).toHaveLength(60);
      together.forEach((row, photo) => {
        row.forEach((spread, target) => {
          expect(spread).toBeCloseTo(0.3 * (alone[photo]?.[target] ?? Number.NaN), 9);
          expect(spread).toBeGreaterThan(0);
        });
      });
    }
  });

  it('adds variances, for members leave out units each by chance of its own, whatever their folds', async () => {
    const copy = join(root, 'copy');
    cpSync(network, copy, { recursive: true });
    const runs = [network, copy, fewer];
    const weights = [0.4, 0.4, 0.2];
    await ensemble('dropout-three', { runs, method: 'given', weights });
    const dropoutSamples = 60;
    const together = await spreads(join(root, 'dropout-three'), 2, { dropoutSamples });
    const [one, three] = [
      await spreads(network, 1, { dropoutSamples }),
      await spreadsOf(fewer, files.features.slice(1), { dropoutSamples }),
    ];
    const total = MASS_NAMES.length - 1;
    const variance = (rows: readonly number[][]): number =>
      rows.reduce((sum, row) => sum + (row[total] ?? 0) ** 2, 0) / rows.length;
    const expected = (0.4 ** 2 + 0.4 ** 2) * variance(one) + 0.2 ** 2 * variance(three);
    expect(variance(together) / expected).toBeGreaterThan(0.85);
    expect(variance(together) / expected).toBeLessThan(1.15);
  });

  it('goes through post-processing, which may stretch it', async () => {
    await ensemble('dropout-stretched', { runs: [network], post: 'calibration,projection=none' });
    const { post } = JSON.parse(readFileSync(join(root, 'dropout-stretched', 'run.json'), 'utf8'));
    const alone = await spreads(network, 1, { dropoutSamples: 4, member: 0 });
    const stretched = await spreads(join(root, 'dropout-stretched'), 1, { dropoutSamples: 4 });
    const slope = post[0].slope[4];
    expect(Math.abs(slope - 1)).toBeGreaterThan(1e-3);
    expect(stretched[0]?.[4]).toBeCloseTo(Math.abs(slope) * (alone[0]?.[4] ?? Number.NaN), 9);
  });

  it('is refused where no member has any, before anything is predicted', async () => {
    await ensemble('dropout-none', { runs: [second, sure] });
    await using run = await openRun(join(root, 'dropout-none'));
    const unread = new Samples([unknownSample('a')], {
      photos: null,
      features: () => Promise.reject(new Error('features were asked for')),
    });
    await expect(run.predict(unread, { dropoutSamples: 4 })).rejects.toThrow(
      /--mc-dropout: every member of the run has a recipe without dropout/,
    );
    await expect(spreadsOf(sure, files.features.slice(1), { dropoutSamples: 4 })).rejects.toThrow(
      /a recipe without dropout/,
    );
  });
});
