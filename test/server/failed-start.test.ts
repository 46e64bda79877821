import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS, poolOf, startServer } from '../../src/server/index.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = temporaryFolder('failed-start');

describe('a server that cannot start', () => {
  const start = (data: string) =>
    startServer({ ...DEFAULT_SETTINGS, data, port: 0, pool: poolOf(1), run: join(root, 'no-run') });

  it('leaves no folder that it has made', async () => {
    await expect(start(join(root, 'farms', 'new'))).rejects.toThrow(/no-run/);
    expect(existsSync(join(root, 'farms'))).toBe(false);
  });

  it('leaves a folder that was there', async () => {
    const there = join(root, 'there');
    mkdirSync(there);
    await expect(start(there)).rejects.toThrow(/no-run/);
    expect(readdirSync(there)).toContain('sward.db');
  });
});
