import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const main = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');

const moduleOf = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;

/** Tells of every module that is loaded, a line each on stderr. */
const TELLING = moduleOf(`
  import { register } from 'node:module';
  register(${JSON.stringify(
    moduleOf(`
      import { writeSync } from 'node:fs';
      export function load(url, context, next) {
        writeSync(2, url + '\\n');
        return next(url, context);
      }`),
  )});`);

/** What a command loads: sward's own files, and the packages of others. */
function loadedBy(...command: string[]): { own: string[]; packages: string[] } {
  const { stderr } = spawnSync(process.execPath, ['--import', TELLING, main, ...command]);
  const urls = String(stderr).split('\n');
  const packages = urls.flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []);
  return {
    own: urls.filter((url) => url.includes('/dist/') && !url.includes('/node_modules/')),
    packages: [...new Set(packages)],
  };
}

describe('the command line starts', () => {
  it.each([['--version'], ['--help'], ['train', '--help'], ['predict', '--help'], ['train', '--nope']])(
    'without what does the work: %s %s',
    (...command) => {
      const { own, packages } = loadedBy(...command);
      expect(packages).toContain('commander');
      const heavy = ['sharp', 'onnxruntime-node', 'onnx-buf', 'piscina', 'yaml', 'read-excel-file', 'jsdom'];
      expect(packages.filter((name) => heavy.includes(name))).toEqual([]);
      expect(own.length).toBeGreaterThan(30);
      expect(own.length).toBeLessThan(90);
    },
  );

  it('and loads it for a command that works', () => {
    const { own, packages } = loadedBy('predict', 'no-such-photo.jpg');
    expect(packages).toContain('sharp');
    // Of the files that scripts/bundle-program.ts makes of hundreds.
    expect(own.length).toBeLessThan(130);
  });
});
