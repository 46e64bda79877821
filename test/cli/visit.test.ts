import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { sharedCache } from '../support/shared-cache.ts';
import { writePhoto } from '../support/small-data-folder.ts';
import { hostSward } from '../support/sward-host.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = temporaryFolder('visit-cli');
const sward = hostSward({ SWARD_CACHE: sharedCache() }, root);

describe('sward visit', () => {
  it('takes the README’s own command in the folder of the photos', async () => {
    mkdirSync(join(root, 'paddock'));
    for (let at = 0; at < 4; at++) await writePhoto(join(root, 'paddock', `IMG_041${at}.JPG`), 20 + at, at);
    writeFileSync(
      join(root, 'cuts.csv'),
      'photo,green (g),dead (g),clover (g)\nIMG_0410,20,5,1\nIMG_0412,30,6,0\n',
    );
    const early = await sward('visit', 'paddock', '--cuts', 'nothere.csv');
    expect(early.stderr).toContain('nothere.csv: cannot be read');
    // Before photos are looked at.
    expect([early.code, /photos/i.test(early.stderr)]).toEqual([1, false]);
    for (const paths of [
      ['paddock/'],
      ['./paddock'],
      ['0', '1', '2', '3'].map((at) => `paddock/IMG_041${at}.JPG`),
    ]) {
      const asked = ['visit', ...paths, '--height', '12', '--cuts', 'cuts.csv', '--hectares', '3,2'];
      const { code, stdout, stderr } = await sward(...asked);
      expect([stderr.includes('no photo'), code]).toEqual([false, 0]);
      expect(stdout).toMatch(/^4 photos by run starter.*, 2 cuts:$/m);
      expect(stdout).toMatch(/^3\.2 ha: \d+ kg of dry matter \(\d+ to \d+\)$/m);
      if (paths.length === 1 && paths[0] === './paddock') {
        const json = await sward(...asked, '--json');
        const { hectares, total_kg, means } = JSON.parse(json.stdout);
        expect(hectares).toBe(3.2);
        expect(total_kg.mean).toBeCloseTo(3.2 * means.Dry_Total_g.mean, 9);
        expect(total_kg.high).toBeCloseTo(3.2 * means.Dry_Total_g.interval.high, 9);
      }
      // What is listed as more work is of use.
      for (const [, after, before] of stdout.matchAll(/± (\d+) kg DM\/ha instead of ± (\d+)/g)) {
        expect(Number(after)).toBeLessThan(Number(before));
      }
    }
  });
});
