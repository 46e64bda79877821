import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readTraining } from '../../src/data/folder.ts';
import { parseStoredRecipe } from '../../src/recipes/recipe.ts';
import { openRun } from '../../src/runs/open-run.ts';
import { listModels } from '../../src/workflows/models/models.ts';
import { predictRun } from '../../src/workflows/predict/predict.ts';
import { trainRepeatedly } from '../../src/workflows/train/repeated-training.ts';
import { trainRun } from '../../src/workflows/train/train.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = temporaryFolder('starter');
const folder = join(import.meta.dirname, '..', '..', 'runs', 'starter');
const csiro = join(process.env.SWARD_SHARED ?? '../shared', 'csiro');

describe('the starter', () => {
  it('is listed with what it is, and comes with the licence of its data and a card', async () => {
    const [starter] = await listModels();
    expect(starter).toMatchObject({ name: 'starter', recipe: 'photo-stack', photos: 86 });
    expect(starter?.about).toMatchObject({ licence: 'CC BY-SA 4.0', sessions: 23 });
    expect(starter?.about.attribution).toContain('CSIRO');
    expect(readFileSync(join(folder, 'LICENSE'), 'utf8')).toMatch(/Attribution-ShareAlike 4\.0/);
    expect(readFileSync(join(folder, 'card.md'), 'utf8')).toMatch(/What it is not for/);
  });

  it('takes no more than 3 MB, and holds no photo, id, label or path', () => {
    const files = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) =>
      entry.isFile(),
    );
    const paths = files.map(({ parentPath, name }) => join(parentPath, name));
    expect(paths.reduce((sum, path) => sum + statSync(path).size, 0)).toBeLessThan(3e6);
    expect(paths.filter((path) => /\.(jpe?g|png)$|(oof|folds)\.csv$/.test(path))).toEqual([]);
    for (const path of paths) expect(readFileSync(path, 'latin1')).not.toMatch(/ID\d{6,}|\/shared\//);
  });

  it('answers by its name from any folder, and a folder of that name comes first', async () => {
    await using run = await openRun('starter');
    expect(run.folder).toBe(folder);
    expect(await run.capabilities()).toMatchObject({ predictsFrom: 'photos', results: false });
  });
});

describe.skipIf(!existsSync(csiro))('on the public photos', () => {
  it('gives grams, kg DM/ha and an interval of a photo it has not seen, and knows those it has', async () => {
    const { photos } = { photos: await readTraining(csiro) };
    const seen = photos[0]?.path ?? '';
    const { predictions, doubts, about } = await predictRun({
      run: 'starter',
      source: [join(csiro, 'test', 'ID1001187975.jpg'), seen],
      coverage: 0.9,
    });
    const [fresh, known] = predictions;
    expect([fresh?.trainedOn, known?.trainedOn]).toEqual([false, true]);
    expect(doubts).toEqual([]);
    expect(about?.what).toMatch(/starter/);
    const { low = 0, high = 0 } = fresh?.intervals?.total ?? {};
    expect(low).toBeLessThan(fresh?.targets.total ?? 0);
    expect(high).toBeGreaterThan(fresh?.targets.total ?? 0);
    expect(high).toBeLessThan(120);
  });

  it('was trained by a recipe that scores 0.70 or more when every session is left out in turn', {
    timeout: 300_000,
  }, async () => {
    const manifest: { recipe: unknown } = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8'));
    const { covariates, ...recipe } = parseStoredRecipe('run.json', manifest.recipe);
    expect(covariates).toEqual(['height']);
    const { outOfFold } = await trainRun({
      source: csiro,
      out: join(root, 'left-out'),
      recipe: { ...recipe, evaluation: { leaveOneStateOut: false } },
      plan: { folds: 23 },
    });
    expect(outOfFold.weightedR2).toBeGreaterThan(0.7);
  });

  it('is learnt otherwise than what train does by default, which scores 0.62 or more on sessions it has not seen', {
    timeout: 300_000,
  }, async () => {
    const out = join(root, 'repeated');
    const { weightedR2 } = await trainRepeatedly({ source: csiro, out }, [0, 1, 2, 3, 4]);
    expect(weightedR2.mean).toBeGreaterThan(0.62);
    const repeats = z
      .object({ weighted_r2: z.object({ mean: z.number() }) })
      .safeParse(JSON.parse(readFileSync(join(out, 'repeats.json'), 'utf8')));
    expect(repeats.success).toBe(true);
  });
});
