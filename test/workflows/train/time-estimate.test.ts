import { describe, expect, it } from 'vitest';
import type { Progress } from '../../../src/ground/progress.ts';
import { makeRecipe } from '../../../src/recipes/recipe.ts';
import { withTimeEstimates, workAhead } from '../../../src/workflows/train/time-estimate.ts';

const WORK = { reading: '1 backbone', training: '5 folds × 20 epochs', folds: 5 };

/** Progress with a clock that moves when told, and the lines that it says. */
function watched(): { progress: Progress; lines: string[]; clock: { now: number } } {
  const lines: string[] = [];
  const clock = { now: 0 };
  const told: Progress = { stage() {}, advance() {}, done() {}, line: (text) => lines.push(text) };
  return {
    progress: withTimeEstimates(
      told,
      () => WORK,
      () => clock.now,
    ),
    lines,
    clock,
  };
}

describe('how long a training will take', () => {
  it('is told once of the first photos, whatever loading took and what was remembered', () => {
    const { progress, lines, clock } = watched();
    progress.stage('Extracting features', 86, 'photos');
    for (let photo = 0; photo < 6; photo++) progress.advance();
    clock.now += 9000;
    for (let photo = 0; photo < 20; photo++) {
      progress.advance();
      clock.now += 3000;
    }
    expect(lines).toEqual([
      'about 4 min for 86 photos × 1 backbone (3 s a photo); then 5 folds × 20 epochs, whose time the first steps will tell',
    ]);
  });

  it('is told of the first steps of a fold for all of them', () => {
    const { progress, lines, clock } = watched();
    progress.stage('Training film-dual', 5, 'folds');
    clock.now += 30_000;
    for (let step = 1; step < 50; step++) {
      progress.note?.('', step / 100);
      clock.now += 3000;
    }
    expect(lines).toEqual(['about 25 min for 5 folds × 20 epochs (5 min a fold)']);
  });

  it('is not worth a line where it is short', () => {
    const { progress, lines, clock } = watched();
    progress.stage('Extracting features', 86, 'photos');
    for (let photo = 0; photo < 86; photo++) {
      progress.advance();
      clock.now += 100;
    }
    progress.stage('Training feature-ridge', 5, 'folds');
    for (let fold = 0; fold < 5; fold++) {
      clock.now += 2500;
      progress.advance();
    }
    expect(lines).toEqual([]);
  });

  it('counts what is trained besides the folds', async () => {
    const recipe = await makeRecipe('feature-mlp');
    const labels = ['Tas', 'Vic', 'Vic'].map((state) => ({ state }));
    const rows = [0, 1, 2].map((fold) => ({ fold }));
    const data = { rows, labels } as unknown as Parameters<typeof workAhead>[1];
    expect(workAhead(recipe, data, true)).toEqual({
      reading: '1 backbone',
      training: '3 folds × 160 epochs and 2 States held out and a learning curve',
      folds: 3 + 2 + 5.5 * 3,
    });
  });
});
