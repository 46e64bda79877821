import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { sources } from './import-graph.ts';
import { writeTinyBackbone } from './networks/tiny-photos.ts';
import { writeSmallFolder } from './support/small-data-folder.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const repository = join(import.meta.dirname, '..');
const TSC = join(repository, 'node_modules', 'typescript', 'bin', 'tsc');
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const project = temporaryFolder('packed-library');
const run = promisify(execFile);

/** Builds the package unless what is built is newer than every source. */
async function build(): Promise<void> {
  const built = join(repository, 'dist', 'index.js');
  const newest = Math.max(...sources(join(repository, 'src')).map((file) => statSync(file).mtimeMs));
  if (existsSync(built) && statSync(built).mtimeMs > newest) return;
  await run(npm, ['run', '--silent', 'build'], { cwd: repository });
}

/** Puts the package, as it would be published, and what it depends on into a project's `node_modules`. */
async function install(): Promise<void> {
  const packed = ['pack', '--ignore-scripts', '--silent', '--pack-destination', project];
  await run(npm, packed, { cwd: repository });
  const tarball = readdirSync(project).find((name) => name.endsWith('.tgz')) ?? '';
  const modules = join(project, 'node_modules');
  mkdirSync(join(modules, 'sward'), { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', join('node_modules', 'sward'), '--strip-components=1'], {
    cwd: project,
  });
  const { dependencies } = JSON.parse(readFileSync(join(modules, 'sward', 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  // Nothing but what the package says it needs, and the types that every program for Node has.
  for (const name of [...Object.keys(dependencies), '@types/node']) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(repository, 'node_modules', name), join(modules, name), 'junction');
  }
}

/** The first program of the page about the library. */
function program(): string {
  const page = readFileSync(join(project, 'node_modules', 'sward', 'docs', 'library.md'), 'utf8');
  return /```ts\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
}

const compilerOptions = {
  strict: true,
  target: 'es2022',
  module: 'nodenext',
  types: ['node'],
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
};

beforeAll(async () => {
  await build();
  await install();
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'paddocks', type: 'module' }));
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['biomass.ts'] }));
  writeFileSync(join(project, 'biomass.ts'), program());
});

describe('the packed library', () => {
  it('compiles in a strict project, its own declarations too', async () => {
    const compiled = run(process.execPath, [TSC, '-p', project]);
    const said = await compiled.then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    );
    expect(said).toBe('');
  });

  it('has the bundled backbone', async () => {
    const command = [join('node_modules', 'sward', 'dist', 'cli', 'main.js'), 'backbones', 'path', 'bundled'];
    const env = { ...process.env, HOME: project, USERPROFILE: project, SWARD_CACHE: join(project, 'cache') };
    const { stdout } = await run(process.execPath, command, { cwd: project, env });
    expect(stdout.trim()).toContain(join('node_modules', 'sward', 'weights'));
    expect(statSync(stdout.trim()).size).toBeGreaterThan(8e6);
  });

  it('answers a photo and trains, with nothing named and no network', async () => {
    await writeSmallFolder(join(project, 'cuts'));
    const main = join('node_modules', 'sward', 'dist', 'cli', 'main.js');
    const env = {
      ...process.env,
      HOME: project,
      USERPROFILE: project,
      SWARD_CACHE: join(project, 'cache'),
      HF_ENDPOINT: 'http://127.0.0.1:9',
    };
    const ask = async (...args: string[]): Promise<string> =>
      (await run(process.execPath, [main, ...args], { cwd: project, env })).stdout;
    const answer = await ask('predict', join('cuts', 'test', 'ID1.jpg'));
    expect(answer).toMatch(/^ID1 \(!\)(\s+[\d.]+){5}\s+\d+\s+photo alone$/m);
    expect(answer).toMatch(/high 90 %/);
    expect(answer).toMatch(/^sward's starter: .*86 public photos/m);
    expect(await ask('models')).toMatch(/^starter\s+photo-stack\s+86\s+23\s+0\.\d+\s+CC BY-SA 4\.0$/m);
    expect(await ask('train', 'cuts', '--folds', '3', '--out', 'mine')).toMatch(
      /^photo-ridge, out of fold:$/m,
    );
    expect(JSON.parse(await ask('predict', 'mine', join('cuts', 'test'), '--json')).photos).toBe(1);
    // What a person is asked to download stays small.
    const tarball = readdirSync(project).find((name) => name.endsWith('.tgz')) ?? '';
    expect(statSync(join(project, tarball)).size).toBeLessThan(20e6);
  }, 120_000);

  it('trains, predicts and prints an interval by the program of its documentation', async () => {
    await writeSmallFolder(join(project, 'data'));
    const { arch, config, preprocessing } = await writeTinyBackbone(join(project, 'tiny.safetensors'));
    writeFileSync(join(project, 'tiny.json'), JSON.stringify({ arch, config, preprocessing }));
    const photo = join('data', 'test', 'ID1.jpg');
    const { stdout } = await run(process.execPath, ['biomass.js', 'data', 'tiny.safetensors', photo], {
      cwd: project,
      env: { ...process.env, HOME: project, USERPROFILE: project },
    });
    expect(stdout).toMatch(/^weighted R² -?\d+\.\d{3} out of fold, 12 photos$/m);
    expect(stdout).toMatch(/^ID1: green [\d.]+ g, dead [\d.]+ g, clover [\d.]+ g, total [\d.]+ g$/m);
    const interval = /^ID1: (\d+) kg DM\/ha, 90 % interval (\d+) to (\d+)$/m.exec(stdout);
    const [estimate, low, high] = (interval ?? []).slice(1).map(Number) as [number, number, number];
    expect(estimate).toBeGreaterThan(0);
    expect(low).toBeGreaterThanOrEqual(0);
    expect(low).toBeLessThanOrEqual(estimate);
    expect(high).toBeGreaterThanOrEqual(estimate);
    const total = Number(/total ([\d.]+) g/.exec(stdout)?.[1]);
    expect(Math.abs(estimate - total / 0.021)).toBeLessThan(5);
  });
});
