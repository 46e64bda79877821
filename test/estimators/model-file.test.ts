import { expect, it } from 'vitest';
import { readModelFile, writeModelFile } from '../../src/estimators/model-file.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

it('a model file that holds NaN is named, with what to do', async () => {
  const folder = temporaryFolder('model-file');
  const own = { rows: 1, columns: 2, data: Float64Array.of(1, Number.NaN) };
  await writeModelFile(folder, 'ridge', { matrices: { own }, texts: {} });
  await expect(readModelFile(folder, 'ridge', ['own'])).rejects.toThrow(
    /model\.safetensors: own holds what is no number \(NaN\); copy the run anew .* train it again/,
  );
});
