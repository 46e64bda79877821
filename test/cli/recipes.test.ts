import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorLine } from '../support/run-sward.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const temporary = temporaryFolder('recipes');
const sward = hostSward();

describe('sward recipes', () => {
  it('lists the recipes, and the settings of one, as text and as JSON', async () => {
    const listed = await sward('recipes');
    expect(listed.stdout).toMatch(
      /^feature-ridge +a feature file, or a backbone’s features +kernel ridge +seconds/m,
    );
    const described = await sward('recipes', 'seed2');
    expect(described.stdout).toMatch(
      /^estimator\.fineTune\.mode = full\n +what of the backbone is trained.*one of none/m,
    );
    const { settings } = JSON.parse((await sward('recipes', 'seed2', '--json')).stdout);
    expect(settings).toContainEqual({
      setting: 'estimator.batch',
      default: 8,
      values: 'a whole number from 1',
      meaning: 'photos a batch',
      needs: null,
    });
  });
});

describe('a photo in the place of a command', () => {
  it('is answered with the command that estimates it', async () => {
    const photo = join(temporary, 'quadrat.jpg');
    writeFileSync(photo, '');
    const outcome = await sward(photo);
    expect(outcome.code).toBe(2);
    expect(errorLine(outcome)).toContain(`(to estimate photos: sward predict starter ${photo} --out `);
  });
});

describe('what is misspelled', () => {
  it.each([
    [['trian'], /unknown command 'trian' \(Did you mean train\?\)/],
    [
      ['train', 'x', '--recpe', 'feature-ridge', '--out', 'y'],
      /unknown option '--recpe' \(Did you mean --recipe\?\)/,
    ],
    [['score', 'src', 'test'], /to compare two runs, sward score --compare src test/],
    [['recipes', '--jsn'], /unknown option '--jsn' \(Did you mean --json\?\)/],
    [['recipes', 'fim-dual'], /no recipe is called fim-dual; did you mean film-dual\?/],
    [
      ['train', 'x', '--recipe', 'descriptor-ridge', '--out', 'y', '--set', 'estimator.members.view=x'],
      /estimator\.members/,
    ],
  ])('%j is answered with what may have been meant', async (args, message) => {
    const outcome = await sward(...args);
    expect(outcome.code).toBe(2);
    expect(errorLine(outcome)).toMatch(message);
  });
});
