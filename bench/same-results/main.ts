/**
 * Whether two checkouts give the same results, bit for bit: runs some hundred small commands through a built checkout,
 * records the SHA-256 of every file they write, and compares two such records. For refactorings that must not move a
 * number.
 *
 *   npx tsx bench/same-results/main.ts record CHECKOUT OUT.json [--only REGEX] [--keep DIR]
 *   npx tsx bench/same-results/main.ts compare A.json B.json
 *
 * `CHECKOUT` holds dist/cli/main.js (`npm run build` there first). `--only` records the cases whose names match, and
 * runs those they need; compare two such records, or such a record with a whole one by `--only` again. `--keep` works
 * in that folder and leaves it, so that files that differ can be looked at. Records are of one machine: ONNX Runtime
 * and the number of processors have a say in the last digits. Needs the material of `SWARD_SHARED` (default ../shared).
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Case, sameResultCases } from './cases.ts';
import { writeFixtures } from './fixtures.ts';

/** What a case left behind: SHA-256 by file; how commands failed is told in words. */
interface CaseRecord {
  readonly files: Readonly<Record<string, string>>;
  /** Files whose form may change by design, normalised; differences are listed apart and fail nothing. */
  readonly soft: Readonly<Record<string, string>>;
}

interface ResultRecord {
  readonly note: string;
  readonly cases: Readonly<Record<string, CaseRecord>>;
}

const AT_ONCE = 2;

/** Manifests and reports are for readers, and carry versions and places. */
const SOFT = /(^|\/)(run\.json|report\.html)$/;
/** Bytes that are compared as they stand; all else is text, in which places are replaced by names. */
const BINARY = /\.(safetensors|npy|onnx|data|png|jpe?g|pth|bin)$/;

async function record(
  checkout: string,
  out: string,
  only: RegExp,
  keep: string | undefined,
): Promise<number> {
  const main = join(checkout, 'dist', 'cli', 'main.js');
  if (!existsSync(main)) throw new Error(`${main} is missing: npm run build there`);
  const root = keep ?? mkdtempSync(join(tmpdir(), 'sward-same-results-'));
  if (keep !== undefined) rmSync(keep, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  const started = performance.now();
  const shared = process.env.SWARD_SHARED ?? resolve(import.meta.dirname, '..', '..', '..', 'shared');
  const fixtures = await writeFixtures(join(root, 'fixtures'), shared);
  const cases = chosenCases(
    sameResultCases(fixtures, (name) => join(root, 'cases', name)),
    only,
  );
  const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { version: string };
  const normalise = (text: string): string =>
    text
      .replaceAll(root, '<work>')
      .replaceAll(checkout, '<checkout>')
      .replaceAll(
        new RegExp(`(sward["']?[ :]*["']?v?)${version.replaceAll('.', '\\.')}`, 'g'),
        '$1<version>',
      );
  const records = new Map<string, CaseRecord>();
  await inParallel(cases, async (one) => {
    const from = performance.now();
    const said = await runCase(main, root, one, normalise);
    records.set(one.name, collect(join(root, 'cases', one.name), said, normalise));
    const failures = Object.values(said.hard).filter((text) => text.startsWith('exit '));
    process.stderr.write(
      `${one.name}: ${((performance.now() - from) / 1000).toFixed(1)} s${failures.map((text) => `\n  ${text}`).join('')}\n`,
    );
  });
  const note = `record of ${checkout}${only.source === '(?:)' ? '' : ` --only ${only.source}`}, Node ${process.version}, ${availableParallelism()} processors`;
  const sorted = Object.fromEntries([...records].sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(out, `${JSON.stringify({ note, cases: sorted } satisfies ResultRecord, null, 1)}\n`);
  if (keep === undefined) rmSync(root, { recursive: true, force: true });
  const files = [...records.values()].reduce((sum, one) => sum + Object.keys(one.files).length, 0);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  process.stdout.write(`${out}: ${records.size} cases, ${files} results, ${seconds} s\n`);
  return 0;
}

const neededBy = ({ needs = [], warm }: Case): readonly string[] =>
  warm === undefined ? needs : [...needs, warm];

/** Cases whose name matches, and all that these need. */
function chosenCases(cases: readonly Case[], only: RegExp): readonly Case[] {
  const byName = new Map(cases.map((one) => [one.name, one]));
  const chosen = new Set<string>();
  const choose = (name: string): void => {
    const one = byName.get(name);
    if (!one) throw new Error(`no case is called ${name}`);
    for (const needed of neededBy(one)) choose(needed);
    chosen.add(name);
  };
  for (const { name } of cases) if (only.test(name)) choose(name);
  return cases.filter(({ name }) => chosen.has(name));
}

/** Runs cases, {@link AT_ONCE} at a time, each after those it needs. */
async function inParallel(cases: readonly Case[], work: (one: Case) => Promise<void>): Promise<void> {
  const waiting = [...cases];
  const done = new Set<string>();
  const running = new Set<Promise<void>>();
  while (waiting.length > 0 || running.size > 0) {
    const next = waiting.findIndex((one) => neededBy(one).every((name) => done.has(name)));
    if (running.size < AT_ONCE && next >= 0) {
      const [one] = waiting.splice(next, 1) as [Case];
      const job = work(one).then(() => {
        done.add(one.name);
        running.delete(job);
      });
      running.add(job);
      continue;
    }
    if (running.size === 0) throw new Error('cases need each other');
    await Promise.race(running);
  }
}

interface Said {
  readonly hard: Record<string, string>;
  readonly soft: Record<string, string>;
}

/** Runs a case's commands one after another: what they print, and how they fail. */
async function runCase(
  main: string,
  root: string,
  { name, commands, warm }: Case,
  normalise: (text: string) => string,
): Promise<Said> {
  const folder = join(root, 'cases', name);
  mkdirSync(folder, { recursive: true });
  // Of the case alone: whether features come from the cache must not hang on which case ran first.
  const cache = join(root, 'cache', name);
  if (warm !== undefined) cpSync(join(root, 'cache', warm), cache, { recursive: true });
  const said: Said = { hard: {}, soft: {} };
  for (const [index, args] of commands.entries()) {
    const { code, stdout, stderr } = await runSward(main, root, args, {
      SWARD_CACHE: cache,
      HF_HOME: join(root, 'hf'),
    });
    const what = `${index}-${args[0]}`;
    if (code !== 0) said.hard[`exit.${what}`] = normalise(`exit ${code}: ${lastLine(stderr)}`);
    if (stdout.trim() === '') continue;
    said[args.includes('--json') ? 'hard' : 'soft'][`stdout.${what}`] = sha256(normalise(stdout));
    writeFileSync(join(root, 'cases', `${name}.stdout.${what}`.replaceAll('/', '.')), stdout);
  }
  return said;
}

/** The error a person reads: progress stands before it. */
const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';

function runSward(
  main: string,
  cwd: string,
  args: readonly string[],
  environment: Record<string, string>,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { SWARD_PROVIDER: _, KAGGLE_USERNAME: __, ...inherited } = process.env;
  const env = { ...inherited, TZ: 'UTC', LANG: 'C', ...environment };
  const child = spawn(process.execPath, [main, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((settle, fail) => {
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.on('error', fail);
    child.on('close', (code) => settle({ code, stdout, stderr }));
  });
}

/** Hashes of every file of a case. */
function collect(folder: string, said: Said, normalise: (text: string) => string): CaseRecord {
  const files: Record<string, string> = { ...said.hard };
  const soft: Record<string, string> = { ...said.soft };
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const path of paths) {
    const name = path.slice(folder.length + 1);
    const content = BINARY.test(name) ? readFileSync(path) : normalise(readFileSync(path, 'utf8'));
    (SOFT.test(name) ? soft : files)[name] = sha256(content);
  }
  return { files, soft };
}

const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

/** Lists what differs. @returns 1 where a result does, 0 where none or only soft files do */
function compare(first: string, second: string, only: RegExp): number {
  const [before, after] = [first, second].map(
    (path) => (JSON.parse(readFileSync(path, 'utf8')) as ResultRecord).cases,
  ) as [ResultRecord['cases'], ResultRecord['cases']];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const hard: string[] = [];
  const soft: string[] = [];
  let count = 0;
  for (const name of names.filter((one) => only.test(one))) {
    const [a, b] = [before[name], after[name]];
    if (!a || !b) {
      hard.push(`${a ? 'missing' : 'extra'} case ${name}`);
      continue;
    }
    count += Object.keys(a.files).length;
    hard.push(...differences(name, a.files, b.files));
    soft.push(...differences(name, a.soft, b.soft));
  }
  if (soft.length > 0) process.stdout.write(`soft (form may change by design):\n${soft.join('\n')}\n\n`);
  if (hard.length > 0) process.stdout.write(`DIFFERENT:\n${hard.join('\n')}\n\n`);
  process.stdout.write(
    hard.length > 0
      ? `${hard.length} differences, ${soft.length} soft\n`
      : `equal: ${count} results, ${soft.length} soft differences\n`,
  );
  return hard.length > 0 ? 1 : 0;
}

function differences(
  name: string,
  before: CaseRecord['files'],
  after: CaseRecord['files'],
): readonly string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort().flatMap((file) => {
    const [a, b] = [before[file], after[file]];
    if (a === b) return [];
    if (a === undefined) return [`  extra   ${name} ${file}${words(b)}`];
    if (b === undefined) return [`  missing ${name} ${file}${words(a)}`];
    return [`  changed ${name} ${file}${words(a)}${words(b)}`];
  });
}

/** How a command failed, where that is what was recorded. */
const words = (value: string | undefined): string =>
  value?.startsWith('exit ') ? `\n          ${value}` : '';

async function main(args: readonly string[]): Promise<number> {
  const positional: string[] = [];
  const options: Record<string, string> = {};
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] as string;
    if (arg.startsWith('--')) options[arg.slice(2)] = args[++index] ?? '';
    else positional.push(arg);
  }
  const [mode, first, second] = positional;
  const only = new RegExp(options.only ?? '');
  if (mode === 'record' && first !== undefined && second !== undefined) {
    const keep = options.keep === undefined ? undefined : resolve(options.keep);
    return record(resolve(first), resolve(second), only, keep);
  }
  if (mode === 'compare' && first !== undefined && second !== undefined) return compare(first, second, only);
  process.stderr.write(
    'usage: npx tsx bench/same-results/main.ts record CHECKOUT OUT.json [--only REGEX] [--keep DIR]\n' +
      '       npx tsx bench/same-results/main.ts compare A.json B.json [--only REGEX]\n',
  );
  return 2;
}

process.exitCode = await main(process.argv.slice(2));
