import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sources } from '../import-graph.ts';

const repository = join(import.meta.dirname, '..', '..');
const web = join(repository, 'web', 'src');

/** Packages that run in a browser. */
const ALLOWED =
  /^(preact|preact\/hooks|@preact\/signals|idb|leaflet|leaflet\/.*\.css|tus-js-client|fflate|exifr\/.*|zod|d3-array|pure-rand\/.*|onnxruntime-web\/.*|libheif-js\/libheif-wasm\/.*\.mjs|virtual:onnx-runtime)$/;

/** What of a file is left when it runs: imports of types alone are not. */
function runtimeImports(text: string): string[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const named = [...code.matchAll(/^\s*(?:import|export)\s+([\w*{][^;'"]*?)\s*from\s+'([^']+)'/gm)];
  const whole = [...code.matchAll(/^\s*import\s+'([^']+)'|\bawait import\(\s*'([^']+)'/gm)];
  return [
    ...named.flatMap(([, what = '', specifier = '']) => (isOfTypes(what) ? [] : [specifier])),
    ...whole.map(([, plain, awaited]) => plain ?? awaited ?? ''),
  ];
}

function isOfTypes(clause: string): boolean {
  if (/^type\s/.test(clause)) return true;
  const names = /^\{([^}]*)\}$/
    .exec(clause)?.[1]
    ?.split(',')
    .filter((name) => name.trim() !== '');
  return names?.every((name) => name.trim().startsWith('type ')) ?? false;
}

/** Every file that is loaded with some, and the packages that these import. */
function loadedWith(files: readonly string[]): { files: Set<string>; packages: Map<string, string> } {
  const loaded = new Set<string>();
  const packages = new Map<string, string>();
  const visit = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    for (const specifier of runtimeImports(readFileSync(file, 'utf8'))) {
      if (specifier.startsWith('.')) visit(join(dirname(file), specifier));
      else packages.set(specifier, relative(repository, file));
    }
  };
  for (const file of files) visit(file);
  return { files: loaded, packages };
}

describe('what runs in a browser', () => {
  const { files, packages } = loadedWith(sources(web).filter((file) => !file.endsWith('.d.ts')));

  it('takes sward’s own code for descriptors, views, intervals and doubts', () => {
    const shared = [...files].map((file) => relative(repository, file));
    for (const name of [
      'src/vision/descriptors/describe.ts',
      'src/vision/preprocess/resample.ts',
      'src/runs/uncertainty.ts',
      'src/runs/domain/domain.ts',
      'src/portable/portable-run.ts',
    ]) {
      expect(shared).toContain(name);
    }
  });

  it('imports nothing of Node, and no package with native code', () => {
    const others = [...packages].filter(([specifier]) => !ALLOWED.test(specifier));
    expect(others).toEqual([]);
  });

  it('would notice an import of Node, and passes over types', () => {
    const text = [
      "import { readFile } from 'node:fs/promises';",
      "import type { Sharp } from 'sharp';",
      "import { type A, type B } from './types.ts';",
      "import { type C,\n  d } from './d.ts';",
      "export * from './e.ts';",
      "export type { F } from './f.ts';",
      "const g = await import('g');",
      "type I = typeof import('./i.ts');",
      "import './h.ts';",
    ].join('\n');
    expect(runtimeImports(text)).toEqual(['node:fs/promises', './d.ts', './e.ts', 'g', './h.ts']);
  });
});

it('ONNX Runtime is of one version in Node and in the browser', () => {
  const versionOf = (name: string): string => {
    const { resolve } = createRequire(import.meta.url);
    const path = resolve(name);
    const folder = path.slice(0, path.lastIndexOf(name) + name.length);
    return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
  };
  expect(versionOf('onnxruntime-web')).toBe(versionOf('onnxruntime-node'));
});
