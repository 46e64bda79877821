import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  cyclesOf,
  depthOf,
  fileGraph,
  folderGraph,
  type Graph,
  type Import,
  importsOf,
  sources,
} from './import-graph.ts';

/** Floor of each folder of src; an upper floor imports from lower floors only. */
const FLOORS: Readonly<Record<string, number>> = {
  ground: 0,
  pasture: 1,
  formats: 1,
  storage: 1,
  farm: 2,
  tensor: 2,
  vision: 3,
  data: 3,
  samples: 4,
  sample: 4,
  learning: 5,
  estimators: 6,
  networks: 7,
  recipes: 8,
  runs: 9,
  portable: 10,
  report: 10,
  export: 11,
  workflows: 12,
  cluster: 13,
  server: 13,
  cli: 14,
};

/** Folders that must run in a browser, with the packages that they may import. */
const PURE: Readonly<Record<string, readonly string[]>> = { pasture: [], farm: ['zod'] };

const FORBIDDEN_NAMES = ['utils', 'helpers', 'common', 'misc', 'shared'];
const root = join(import.meta.dirname, '..', 'src');

function folderOf(path: string): string {
  return relative(root, path).split(sep)[0] ?? '';
}

function complaint({ file, specifier }: Import): string | null {
  const from = folderOf(file);
  if (!specifier.startsWith('.')) {
    const allowed = PURE[from]?.includes(specifier) ?? true;
    return allowed ? null : `${relative(root, file)} imports ${specifier}`;
  }
  const target = join(dirname(file), specifier);
  const to = folderOf(target);
  if (relative(root, target).startsWith('..'))
    return `${relative(root, file)} imports ${specifier} from outside src`;
  const lower = (FLOORS[to] ?? Number.NaN) < (FLOORS[from] ?? Number.NaN);
  return from === to || lower ? null : `${relative(root, file)} imports ${specifier}`;
}

describe('the house', () => {
  const files = sources(root);

  it('has a floor for every folder', () => {
    const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map((entry) => entry.name).sort()).toEqual(Object.keys(FLOORS).sort());
    expect(files.length).toBeGreaterThan(20);
  });

  it('imports from lower floors only', () => {
    const inside = files.filter((file) => folderOf(file) in FLOORS);
    expect(
      inside
        .flatMap((file) => importsOf(file))
        .map(complaint)
        .filter(Boolean),
    ).toEqual([]);
  });

  it('would notice an import from above', () => {
    const file = join(root, 'pasture', 'metric.ts');
    expect(complaint({ file, specifier: '../runs/results.ts' })).toMatch(/imports/);
    expect(complaint({ file, specifier: 'node:fs' })).toMatch(/imports node:fs/);
    expect(complaint({ file, specifier: './targets.ts' })).toBeNull();
  });

  it('has a command line that takes from the faces of workflows, server and cluster, from pasture and from ground alone', () => {
    const seen = files
      .filter((file) => folderOf(file) === 'cli')
      .flatMap((file) => importsOf(file).filter(({ specifier }) => specifier.startsWith('.')))
      .map(({ file, specifier }) =>
        relative(root, join(dirname(file), specifier))
          .split(sep)
          .join('/'),
      );
    const taken = seen.filter((path) => !path.startsWith('cli/'));
    expect(taken).toContain('workflows/index.ts');
    expect(
      taken.filter(
        (path) =>
          !/^((workflows|server|cluster)\/index\.ts$|cluster\/choices\.ts$|pasture\/|ground\/)/.test(path),
      ),
    ).toEqual([]);
  });

  it('imports no package but those that it says it needs', () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, '..', 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const packages = files
      .flatMap((file) => importsOf(file))
      .map(({ specifier }) => /^((?:@[a-z\d-]+\/)?[a-z\d][a-z\d.-]*)(?:\/[\w./-]+)?$/.exec(specifier)?.[1])
      .filter((name) => name !== undefined);
    expect(new Set(packages.filter((name) => !(name in dependencies)))).toEqual(new Set());
    expect(packages).toContain('@bufbuild/protobuf');
  });

  it('takes ONNX Runtime through the one door that keeps it from reporting to its makers', () => {
    const takers = files.filter((file) =>
      importsOf(file).some(({ specifier }) => specifier.startsWith('onnxruntime')),
    );
    expect(takers.map((file) => relative(root, file))).toEqual([join('tensor', 'program', 'runtime.ts')]);
    const [first] = importsOf(join(root, 'tensor', 'program', 'runtime.ts'));
    expect(first?.specifier).toBe('./no-telemetry.ts');
  });

  it('keeps index files to exports', () => {
    for (const file of files.filter((name) => name.endsWith(`${sep}index.ts`))) {
      const statements = readFileSync(file, 'utf8')
        .replaceAll(/\/\*[\s\S]*?\*\/|^\/\/.*$/gm, '')
        .split(';')
        .map((s) => s.trim());
      for (const statement of statements.filter(Boolean))
        expect(statement).toMatch(/^export\b[\s\S]*\bfrom\b/);
    }
  });

  it('calls nothing by a name without a subject', () => {
    const vague = files.filter((file) => FORBIDDEN_NAMES.some((name) => file.split(/[\\/.]/).includes(name)));
    expect(vague).toEqual([]);
  });

  it('reads the environment in cli alone', () => {
    // Setting a variable for a library that is loaded next is no reading.
    const reading = /process\.env\b(?!\.\w+ = )/;
    const readers = files.filter((file) => reading.test(readFileSync(file, 'utf8')));
    expect(new Set(readers.map(folderOf))).toEqual(new Set(['cli']));
  });
});

describe('imports', () => {
  const graph = fileGraph(root);
  const levels = Array.from({ length: depthOf(graph) }, (_, index) => index + 1);

  it('make no cycle between files, type imports counted', () => {
    expect(cyclesOf(graph)).toEqual([]);
  });

  it.each(levels)('make no cycle between folders, looked into %i deep', (depth) => {
    expect(cyclesOf(folderGraph(graph, depth))).toEqual([]);
  });

  it('would be noticed in a cycle of files, of folders, and of a folder with what lies in it', () => {
    const files = (imports: Record<string, readonly string[]>): Graph =>
      new Map(Object.entries(imports).map(([file, imported]) => [file, new Set(imported)]));
    const ring = files({ 'a/x.ts': ['a/y.ts'], 'a/y.ts': ['b/z.ts', 'a/x.ts'], 'b/z.ts': [] });
    expect(cyclesOf(ring)).toEqual([['a/x.ts', 'a/y.ts']]);
    expect(cyclesOf(folderGraph(ring, 1))).toEqual([]);
    const folders = files({ 'a/x.ts': ['b/x.ts'], 'b/x.ts': [], 'b/y.ts': ['c/x.ts'], 'c/x.ts': ['a/x.ts'] });
    expect(cyclesOf(folders)).toEqual([]);
    expect(cyclesOf(folderGraph(folders, 1))).toEqual([['a', 'b', 'c']]);
    const nested = files({ 'a/x.ts': ['a/b/x.ts'], 'a/b/x.ts': [], 'a/b/y.ts': ['a/y.ts'], 'a/y.ts': [] });
    expect(cyclesOf(folderGraph(nested, 1))).toEqual([]);
    expect(cyclesOf(folderGraph(nested, 2))).toEqual([['a', 'a/b']]);
  });

  it('are seen however they are written', () => {
    const text = `import './a.ts'; import type { B } from './b.ts'; export * from './c.ts'; await import('./d.ts');
      import { E,\n F } from './e.ts'; export { g } from\n './g.ts'; let h: import('./h.ts').H;`;
    const seen = importsOf('x.ts', text).map(({ specifier }) => specifier);
    expect(seen).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts', './e.ts', './g.ts', './h.ts']);
  });
});
