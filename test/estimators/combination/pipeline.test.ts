import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chosenStages } from '../../../src/estimators/combination/choice.ts';
import type { CombinationSettings } from '../../../src/estimators/combination/combination.ts';
import {
  fitPipeline,
  type PipelineRows,
  pipelineStages,
} from '../../../src/estimators/combination/pipeline.ts';
import { readStack } from '../../../src/estimators/combination/stacking.ts';
import { parseSteps } from '../../../src/estimators/post-processing/steps.ts';
import { randomStream } from '../../../src/ground/random.ts';
import { weightedR2 } from '../../../src/pasture/metric.ts';
import { isPhysical } from '../../../src/pasture/physics.ts';
import type { Targets } from '../../../src/pasture/targets.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { inventedMembers, largestDifference } from './invented-members.ts';

const folder = temporaryFolder('pipeline');
const combinations: readonly CombinationSettings[] = [
  { method: 'mean', perTarget: false, shrink: 0 },
  { method: 'given', perTarget: false, shrink: 0, weights: [3, 1] },
  { method: 'nnls', perTarget: false, shrink: 0 },
  { method: 'nnls', perTarget: true, shrink: 0.1 },
  { method: 'caruana', perTarget: false, shrink: 0 },
  { method: 'caruana', perTarget: true, shrink: 0 },
];

function answer(settings: CombinationSettings, rows: PipelineRows, post = ''): Promise<Targets[]> {
  const steps = parseSteps(post, !settings.perTarget);
  return fitPipeline({ combination: settings, steps }, rows, randomStream(1))
    .then((pipeline) => pipelineStages(pipeline, rows.members, rows.states))
    .then((stages) => stages.at(-1) ?? []);
}

describe('a pipeline', () => {
  it.each(combinations)(
    'of identical members equals the member: $method, per target $perTarget',
    async (settings) => {
      const rows = inventedMembers(40, [6]);
      const [only = []] = rows.members;
      const twice = { ...rows, members: [only, only] };
      expect(largestDifference(await answer(settings, twice), only)).toBeLessThan(1e-6);
    },
  );

  it.each(combinations)('answers with physical masses: $method, per target $perTarget', async (settings) => {
    const rows = inventedMembers(40, [5, 12]);
    for (const post of ['', 'clip', 'calibration,projection=covariance', 'first-place']) {
      for (const targets of await answer(settings, rows, post)) expect(isPhysical(targets, 1e-9)).toBe(true);
    }
  });

  it('is better than its members where their errors are independent', async () => {
    const rows = inventedMembers(200, [8, 8, 10]);
    const nnls = { method: 'nnls', perTarget: false, shrink: 0 } as const;
    const stages = await chosenStages({ combination: nnls, steps: [] }, rows, rows.sessions, randomStream(1));
    const nested = weightedR2(rows.observed, stages[0] ?? []);
    const inSample = weightedR2(rows.observed, await answer(nnls, rows));
    for (const member of rows.members) expect(nested).toBeGreaterThan(weightedR2(rows.observed, member));
    expect(inSample).toBeGreaterThan(nested);
  });

  it('scores a photo by what was fitted without its part', async () => {
    const rows = inventedMembers(40, [4, 9], 2);
    const settings = {
      combination: { method: 'nnls', perTarget: false, shrink: 0 },
      steps: parseSteps('calibration', true),
    } as const;
    const parts = rows.sessions.map((session) => Number(session.at(-1)) % 2);
    const before = await chosenStages(settings, rows, parts, randomStream(1));
    // New masses for the photos of part 0 change what is said of part 1 only.
    const observed = rows.observed.map((targets, photo) =>
      parts[photo] === 0 ? (rows.observed[(photo + 10) % 40] ?? targets) : targets,
    );
    const after = await chosenStages(settings, { ...rows, observed }, parts, randomStream(1));
    const ofPart = (stages: readonly Targets[][], part: number): Targets[] =>
      (stages.at(-1) ?? []).filter((_, photo) => parts[photo] === part);
    expect(ofPart(after, 0)).toEqual(ofPart(before, 0));
    expect(largestDifference(ofPart(after, 1), ofPart(before, 1))).toBeGreaterThan(0.1);
  });

  it('finds by stacking that a member is wrong by a factor, and stacks the same when read back', async () => {
    const rows = inventedMembers(120, [3]);
    const halved = (rows.members[0] ?? []).map(({ green, dead, clover, gdm, total }) => ({
      green: green / 2,
      dead: dead / 2,
      clover: clover / 2,
      gdm: gdm / 2,
      total: total / 2,
    }));
    const wrong = { ...rows, members: [halved] };
    const stacking = { method: 'stacking', perTarget: false, shrink: 0 } as const;
    const pipeline = await fitPipeline({ combination: stacking, steps: [] }, wrong, randomStream(1));
    const [stacked = []] = await pipelineStages(pipeline, wrong.members, wrong.states);
    expect(weightedR2(rows.observed, halved)).toBeLessThan(0.6);
    expect(weightedR2(rows.observed, stacked)).toBeGreaterThan(0.9);
    expect(pipeline.combination.weights).toBeNull();
    const place = join(folder, 'stack');
    mkdirSync(place);
    await pipeline.combination.stack?.write(place);
    expect(await (await readStack(place)).combine(wrong.members)).toEqual(stacked);
  });

  it('gives each target weights of its own when asked', async () => {
    const rows = inventedMembers(80, [2, 2]);
    const [a = [], b = []] = rows.members;
    // The first member knows green, the second dead matter.
    const mixed = {
      ...rows,
      members: [
        a.map((targets, photo) => ({ ...targets, dead: b[(photo + 7) % 80]?.dead ?? 0 })),
        b.map((targets, photo) => ({ ...targets, green: a[(photo + 7) % 80]?.green ?? 0 })),
      ],
    };
    const { combination } = await fitPipeline(
      { combination: { method: 'nnls', perTarget: true, shrink: 0 }, steps: [] },
      mixed,
      randomStream(1),
    );
    const [green = [], dead = []] = combination.weights ?? [];
    expect(green[0]).toBeGreaterThan(0.9);
    expect(dead[1]).toBeGreaterThan(0.9);
  });

  it('refuses weights that cannot be used', async () => {
    const rows = inventedMembers(10, [1, 1]);
    for (const weights of [[1], [0, 0], [1, -1], [Number.NaN, 1]]) {
      const settings = { method: 'given', perTarget: false, shrink: 0, weights } as const;
      await expect(answer(settings, rows)).rejects.toThrow(RangeError);
    }
  });
});
