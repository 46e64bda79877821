import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readPhotoStates } from '../../../src/workflows/predict/predict.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

it('finds the State of a photo whether its accents are composed or not', async () => {
  const path = join(temporaryFolder('photo-states'), 'states.csv');
  for (const written of ['NFC', 'NFD'] as const) {
    writeFileSync(path, `image_id,State\n${'Übung-é'.normalize(written)},WA\n`);
    const states = await readPhotoStates(path);
    expect(['NFC', 'NFD'].map((form) => states('Übung-é'.normalize(form)))).toEqual(['WA', 'WA']);
    expect(states('Ubung-e')).toBeNull();
  }
});
