import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Floor of each folder of src; an upper floor imports from lower floors only. */
const FLOORS: Readonly<Record<string, number>> = {
  ground: 0,
  pasture: 1,
  tensor: 1,
  data: 2,
  vision: 2,
  models: 3,
  train: 4,
  report: 4,
  cli: 5,
};

/** Folders of one floor where one may use the other: the trainer ends with a report on its results. */
const BESIDE: ReadonlySet<string> = new Set(['train report', 'report train']);

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
  return from === to || lower || BESIDE.has(`${from} ${to}`)
    ? null
    : `${relative(root, file)} imports ${specifier}`;
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
    expect(complaint({ file, specifier: '../train/train.ts' })).toMatch(/imports/);
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
});
