import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageFile } from '../../src/ground/package-file.ts';
import { TALLEST_SWARD } from '../../src/pasture/covariates.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SCRIPT = packageFile('docs/export/run-model.mjs');
const folder = temporaryFolder('run-model');
const facts = {
  input: { name: 'photos' },
  branches: [],
  files: [{ file: 'missing.onnx' }],
  covariates: { columns: [{ name: 'height' }, { name: 'ndvi' }] },
};
writeFileSync(join(folder, 'model.json'), JSON.stringify(facts));

/** What the script says before it ends; of readings that it takes it opens the model, which is not there. */
function said(...readings: readonly string[]): string {
  try {
    execFileSync(process.execPath, [SCRIPT, folder, ...readings, 'photo.jpg'], { stdio: 'pipe' });
  } catch (error) {
    if (error instanceof Error && 'stderr' in error) return String(error.stderr);
    throw error;
  }
  throw new Error('the script ended well without a model');
}

describe('the script beside an exported model', () => {
  it.each([
    'height=',
    'height=abc',
    'height=-5',
    'height=1e300',
    'height=300.5',
    'height=0x10',
    'ndvi=',
    'ndvi=1,054',
  ])('refuses %s in one line', (reading) => {
    expect(said(reading)).toMatch(new RegExp(`^${reading}: give .*\\n$`));
  });

  it('refuses two heights', () => {
    expect(said('height=7', 'height=8')).toBe('height is given twice; give it once\n');
  });

  it('takes heights as people write them, up to the tallest of sward', () => {
    expect(said('height=12,5', 'ndvi=-0.1')).toContain('missing.onnx');
    expect(said(`height=${TALLEST_SWARD}`)).toContain('missing.onnx');
    expect(readFileSync(SCRIPT, 'utf8')).toContain(`const TALLEST_SWARD = ${TALLEST_SWARD};`);
  });
});
