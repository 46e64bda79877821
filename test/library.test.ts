import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import * as cluster from '../src/cluster/index.ts';
import * as library from '../src/index.ts';
import { makeRecipe, type RecipeSettings, UsageError } from '../src/index.ts';
import * as server from '../src/server/index.ts';
import * as tensor from '../src/tensor/index.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const root = join(import.meta.dirname, '..');
const face = join(root, 'src', 'index.ts');
const TSC = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

const docs = join(root, 'docs');
/** Pages for people who use sward; that on contributing names what is inside. */
const pages = [
  join(root, 'README.md'),
  ...readdirSync(docs)
    .filter((name) => name.endsWith('.md') && name !== 'contributing.md')
    .map((name) => join(docs, name)),
];
const textOf = (page: string): string => readFileSync(page, 'utf8');

/** Programs of the documentation that import the library. */
const programs = pages.flatMap((page) =>
  [...textOf(page).matchAll(/```ts\n([\s\S]*?)```/g)]
    .map(([, code = '']) => code)
    .filter((code) => /from 'sward(\/tensor|\/server|\/cluster)?'/.test(code))
    .map((code) => ({ page, code })),
);

interface Exported {
  readonly name: string;
  /** Where it is exported from. */
  readonly file: string;
}

/** What a file of nothing but exports passes on, by the names it has there. */
function passedOn(file: string): Exported[] {
  const text = readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '');
  return [...text.matchAll(/export (?:type )?\{([^}]*)\} from '([^']+)'/g)].flatMap(
    ([, names = '', from = '']) =>
      names
        .split(',')
        .map((name) => name.trim().replace(/^type /, ''))
        .filter(Boolean)
        .map((name) => ({ name, file: join(dirname(file), from) })),
  );
}

/** The line that declares a name, with the one above it. */
function declaration({ name, file }: Exported): string {
  const further = passedOn(file).find((other) => other.name === name);
  if (further) return declaration(further);
  const declared = new RegExp(
    `(?:^.*\\n)?^export (?:async )?(?:function|const|class|interface|type) ${name}\\b`,
    'm',
  );
  return declared.exec(readFileSync(file, 'utf8'))?.[0] ?? '';
}

describe('the library', () => {
  const folder = temporaryFolder('library');
  const exported = passedOn(face);

  it('compiles every program of the documentation', { timeout: 120_000 }, async () => {
    expect(programs.length).toBeGreaterThan(5);
    programs.forEach(({ code }, number) => {
      writeFileSync(join(folder, `program-${number}.ts`), code);
    });
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    const compilerOptions = {
      typeRoots: [join(root, 'node_modules', '@types')],
      paths: {
        sward: [face],
        'sward/tensor': [join(root, 'src', 'tensor', 'index.ts')],
        'sward/server': [join(root, 'src', 'server', 'index.ts')],
        'sward/cluster': [join(root, 'src', 'cluster', 'index.ts')],
      },
      noUnusedLocals: false,
    };
    const settings = { extends: join(root, 'tsconfig.json'), compilerOptions, include: ['*.ts'] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
    const compiled = promisify(execFile)(process.execPath, [TSC, '-p', folder]);
    const said = await compiled.then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    );
    expect(said).toBe('');
  });

  it('says what every exported name is, where it is declared', () => {
    const names = exported.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(Object.keys(library)));
    expect(exported.filter((name) => !/\*\/\nexport /.test(declaration(name)))).toEqual([]);
  });

  it('exports no value that the documentation does not name', () => {
    const text = pages.map(textOf).join('\n');
    const unnamed = Object.keys(library).filter((name) => !new RegExp(`\\b${name}\\b`).test(text));
    expect(unnamed).toEqual([]);
  });

  it('or its engine has every function that the documentation calls in passing', () => {
    const known = [library, tensor, server, cluster, tensor.Training.prototype, Math];
    const called = pages.flatMap((page) =>
      [...textOf(page).matchAll(/`([a-zA-Z]+)\(/g)].map(([, name = '']) => name),
    );
    expect(called.length).toBeGreaterThan(20);
    expect(called.filter((name) => !known.some((names) => name in names))).toEqual([]);
  });

  it('knows the settings of recipes by their names and values', async () => {
    const settings: RecipeSettings = {
      backbone: 'net',
      estimator: { epochs: 3, schedule: { kind: 'constant' } },
    };
    expect(await makeRecipe('film-dual', settings)).toMatchObject({ estimator: { epochs: 3 } });
    // @ts-expect-error there is no such setting
    const misspelt: RecipeSettings = { estimator: { epoch: 3 } };
    await expect(makeRecipe('film-dual', { backbone: 'net', ...misspelt })).rejects.toThrow(/epoch/);
    // @ts-expect-error there is no such kind
    const unknown: RecipeSettings = { estimator: { schedule: { kind: 'sine' } } };
    await expect(makeRecipe('film-dual', { backbone: 'net', ...unknown })).rejects.toThrow(UsageError);
  });

  it('keeps a recipe’s own settings where the kind it has is named, and takes another’s defaults', async () => {
    const kept = await makeRecipe('seed2', { backbone: 'net', estimator: { kind: 'network', epochs: 3 } });
    const { estimator } = await makeRecipe('seed2', { backbone: 'net' });
    expect(kept.estimator).toEqual({ ...estimator, epochs: 3 });
    const other = await makeRecipe('seed2', { estimator: { kind: 'ridge', clip: 3 } });
    expect(other.estimator).toMatchObject({ kind: 'ridge', clip: 3, sessionWeight: 0.5 });
    const hostile = JSON.parse('{ "__proto__": { "polluted": 1 } }') as RecipeSettings;
    await expect(makeRecipe('feature-ridge', hostile)).rejects.toThrow(/no setting has such a name/);
    expect({}).not.toHaveProperty('polluted');
  });

  it('has a function for every command', () => {
    const rows = new Map(
      [...textOf(join(docs, 'library.md')).matchAll(/^\| `sward (\w+)` \| (.*?) \|/gm)].map(
        ([, command = '', cell = '']) => [
          command,
          [...cell.matchAll(/`(\w+)\(/g)].map(([, name = '']) => name),
        ],
      ),
    );
    const registered = [
      ...readFileSync(join(root, 'src', 'cli', 'run-command.ts'), 'utf8').matchAll(/register[A-Z]\w+/g),
    ];
    const commands = new Set(registered.map(([name]) => name.replace('register', '').toLowerCase()));
    expect(new Set(rows.keys())).toEqual(commands);
    const functions = [...rows.values()];
    expect(functions.every((names) => names.length > 0)).toBe(true);
    const all = { ...library, ...server, ...cluster };
    for (const name of functions.flat()) expect(all).toHaveProperty(name, expect.any(Function));
  });
});
