import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  beginTrainingPhotos,
  readTrainingPhotos,
  requirePhotosUnchanged,
  writeTrainingPhotos,
} from '../../src/runs/training-photos.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = temporaryFolder('training-photos');

it('photos are written down as training found them, and one that is replaced stops it, put back or not', async () => {
  const path = join(root, 'a.jpg');
  writeFileSync(path, 'first');
  const photos = await beginTrainingPhotos([{ imageId: 'a', path }]);
  await requirePhotosUnchanged(photos);
  for (const content of ['other', 'first']) {
    writeFileSync(path, content);
    utimesSync(path, 1, 1);
    await expect(requirePhotosUnchanged(photos)).rejects.toThrow(/a\.jpg: the photo changed while/);
  }
  writeFileSync(path, 'other');
  mkdirSync(join(root, 'run'));
  await writeTrainingPhotos(join(root, 'run'), photos);
  const first = createHash('sha256').update('first').digest('hex');
  expect(await readTrainingPhotos(join(root, 'run'))).toEqual(new Set([first]));
  expect(readFileSync(join(root, 'run', 'training-photos.csv'), 'utf8')).toBe(
    `image_id,sha256\na,${first}\n`,
  );
});
