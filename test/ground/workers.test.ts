import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..', 'src');

/** Packages that bring native code. */
const NATIVE = ['sharp', 'onnxruntime-node'];

/** Everything a file imports when it runs, however far down; types are not loaded. */
function loaded(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  for (const [statement, specifier = ''] of text.matchAll(/^(?:import|export)\s[^;]*?from\s+'([^']+)'/gm)) {
    if (/^(?:import|export)\s+type\s/.test(statement)) continue;
    if (specifier.startsWith('.')) loaded(join(dirname(file), specifier), seen);
    else seen.add(specifier);
  }
  return seen;
}

describe('worker files', () => {
  const workers = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('-worker.ts'))
    .map((name) => join(root, name));

  it.each(workers.map((file) => [relative(root, file), file]))(
    '%s loads no native code, which would crash a thread that ends while loading it',
    (_, file) => {
      expect(NATIVE.filter((name) => loaded(file).has(name))).toEqual([]);
    },
  );

  it('are looked for where they are', () => {
    expect(workers.length).toBeGreaterThanOrEqual(3);
    expect(loaded(join(root, 'vision/photos/decode.ts')).has('sharp')).toBe(true);
  });
});
