import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readFeatureTable } from '../../../src/data/feature-tables.ts';
import { splitSampleId } from '../../../src/data/sample-id.ts';
import { readCsv } from '../../../src/formats/csv.ts';
import { takeRows } from '../../../src/ground/matrix.ts';
import { fitDomain, OUT_OF_DOMAIN_SHARE, outOfDomainShares } from '../../../src/runs/domain/index.ts';

const folder = join(process.env.SWARD_SHARED ?? '../shared', 'csiro', 'features');

describe.skipIf(!existsSync(folder))('the domain of real features', () => {
  it.each(['dinov2_vits14', 'convnext_tiny'])('flags few photos of unseen sessions in %s', async (name) => {
    const { ids, matrix } = await readFeatureTable(join(folder, `${name}.npy`), join(folder, 'ids.txt'));
    const { rows } = await readCsv(join(folder, 'train.csv'), ['sample_id', 'Sampling_Date', 'State']);
    const sessions = new Map(
      rows.map(({ cells }) => [
        splitSampleId(cells.sample_id ?? '')?.imageId,
        `${cells.Sampling_Date} ${cells.State}`,
      ]),
    );
    const groups = ids.map((id) => sessions.get(id) ?? '');
    const names = [...new Set(groups)].sort();
    const photos = (kept: (session: number) => boolean): number[] =>
      groups.flatMap((group, photo) => (kept(names.indexOf(group)) ? [photo] : []));
    const known = photos((session) => session % 4 !== 0);
    const unseen = takeRows(
      matrix,
      photos((session) => session % 4 === 0),
    );
    const domain = fitDomain(
      takeRows(matrix, known),
      known.map((photo) => groups[photo] ?? ''),
    );
    const flagged = (shares: readonly number[]): number =>
      shares.filter((share) => share > OUT_OF_DOMAIN_SHARE).length / shares.length;
    expect(flagged(outOfDomainShares(domain, unseen))).toBeLessThan(0.15);
    // The same numbers in other columns are no photo of a pasture.
    const rolled = unseen.data.map((_, at) => unseen.data[(at + 7) % unseen.data.length] ?? 0);
    expect(flagged(outOfDomainShares(domain, { ...unseen, data: rolled }))).toBeGreaterThan(0.9);
  });
});
