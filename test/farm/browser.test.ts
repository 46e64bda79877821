import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importsOf, sources } from '../import-graph.ts';

const root = join(import.meta.dirname, '..', '..', 'src');

describe('the farm in a browser', () => {
  it('needs no package but zod and nothing of Node, itself and all that it imports', () => {
    const reached = new Set(sources(join(root, 'farm')));
    const foreign = new Set<string>();
    for (const file of reached) {
      for (const { specifier } of importsOf(file)) {
        if (specifier.startsWith('.')) reached.add(join(dirname(file), specifier));
        else foreign.add(specifier);
      }
    }
    const below = [...reached].map((file) => relative(root, file));
    expect(below).toContain(join('pasture', 'targets.ts'));
    expect([...foreign]).toEqual(['zod']);
  });
});
