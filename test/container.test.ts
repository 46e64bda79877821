import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const lines = (name: string) => readFileSync(resolve(root, name), 'utf8').split('\n');

describe('the Dockerfile', () => {
  // No Docker is here to build it. What it copies out of the repository has to be there and to be let through.
  it('copies what is there, and .dockerignore lets it through', () => {
    const copied = lines('Dockerfile')
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(/\s+/).slice(1, -1))
      // `.npmrc*` and `.npm-cache*` may be absent.
      .filter((name) => !name.endsWith('*'));
    expect(copied).toContain('runs');
    const letThrough = lines('.dockerignore').flatMap((line) =>
      line.startsWith('!') ? [line.slice(1)] : [],
    );
    for (const name of copied) {
      expect(existsSync(resolve(root, name)), `${name} is in the repository`).toBe(true);
      expect(letThrough, `${name} is let through`).toContain(name);
    }
  });
});
