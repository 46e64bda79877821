import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Floor of each folder of src; an upper floor imports from lower floors only. */
const FLOORS: Readonly<Record<string, number>> = {
  ground: 0,
  pasture: 1,
  formats: 1,
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
  export: 10,
  report: 10,
  workflows: 11,
  cli: 12,
};

/** Folders that must run in a browser. */
const PURE = ['pasture'];

const FORBIDDEN_NAMES = ['utils', 'helpers', 'common', 'misc', 'shared'];
const root = join(import.meta.dirname, '..', 'src');

interface Import {
  readonly file: string;
  readonly specifier: string;
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => ({
    file,
    specifier: match[1] ?? '',
  }));
}

function folderOf(path: string): string {
  return relative(root, path).split(sep)[0] ?? '';
}

function complaint({ file, specifier }: Import): string | null {
  const from = folderOf(file);
  if (!specifier.startsWith('.')) {
    const impure = PURE.includes(from) ? `${relative(root, file)} imports ${specifier}` : null;
    return impure;
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
    expect(inside.flatMap(importsOf).map(complaint).filter(Boolean)).toEqual([]);
  });

  it('would notice an import from above', () => {
    const file = join(root, 'pasture', 'metric.ts');
    expect(complaint({ file, specifier: '../runs/results.ts' })).toMatch(/imports/);
    expect(complaint({ file, specifier: 'node:fs' })).toMatch(/imports node:fs/);
    expect(complaint({ file, specifier: './targets.ts' })).toBeNull();
  });

  it('keeps index files to exports', () => {
    for (const file of files.filter(
      (name) => name.endsWith(`${sep}index.ts`) && !name.includes(`${sep}sample${sep}`),
    )) {
      const statements = readFileSync(file, 'utf8')
        .replaceAll(/\/\*[\s\S]*?\*\//g, '')
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
    const readers = files.filter((file) => /process\.env\b/.test(readFileSync(file, 'utf8')));
    expect(new Set(readers.map(folderOf))).toEqual(new Set(['cli']));
  });
});
