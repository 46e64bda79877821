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
    '%s loads no native code, which would crash a thread that ends in its midst, unless an exit waits for it',
    (_, file) => {
      const text = readFileSync(file, 'utf8');
      // It says when it has loaded, and lets its work pass the gate that an exit closes.
      const isWaitedFor = /^(if \(gate\) )?enter\(gate\);$/m.test(text) && /\bpassing\(gate, /.test(text);
      expect(isWaitedFor ? [] : NATIVE.filter((name) => loaded(file).has(name))).toEqual([]);
    },
  );

  it('that load native code are known, so that none comes to it unseen', () => {
    const native = workers.filter((file) => NATIVE.some((name) => loaded(file).has(name)));
    expect(native.map((file) => relative(root, file)).sort()).toEqual([
      'tensor/program/session-worker.ts',
      'vision/features/views-worker.ts',
    ]);
  });

  it('are looked for where they are', () => {
    expect(workers.length).toBeGreaterThanOrEqual(3);
    expect(loaded(join(root, 'vision/photos/decode.ts')).has('sharp')).toBe(true);
  });
});
