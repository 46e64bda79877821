import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Folders with the longest files, which wait much: what begins with them has no worker idle in the end. */
const FIRST = ['web', 'cluster', 'server', 'cli', 'export'];

/** The longest files first. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = FIRST.findIndex((folder) => moduleId.includes(`/test/${folder}/`));
      return at < 0 ? FIRST.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

/** What holds for all that runs in a process once it is said there, and what tells of the process as a whole. */
const OF_THE_PROCESS = new RegExp(
  [
    /\b(configure|syncBuiltinESMExports|defineProperty)\(/,
    /\bvi\./,
    /\bprocess\.env(\.\w+|\[[^\]]+\]) *\??\??=[^=]|\bdelete process\./,
    /\bprocess\.(chdir|umask|once|on|off|exitCode|memoryUsage|cpuUsage|resourceUsage|emitWarning)\b/,
    /\b(globalThis|global)\b[.[)]|\bglobalThis\b/,
    /\bperformance\.|\bsharp\.(concurrency|cache|simd)|\.prototype\b/,
  ]
    .map(({ source }) => source)
    .join('|'),
);
const NAMES_FILE = /'(\.{1,2}\/[^']*\.ts)'/g;
const TESTS = join(import.meta.dirname, 'test');

/** Whether a file of tests, or what it takes from others beside it, touches what is the process's. */
function touchesProcess(path: string, seen = new Set<string>()): boolean {
  if (seen.has(path) || !path.startsWith(TESTS) || !existsSync(path)) return false;
  seen.add(path);
  const text = readFileSync(path, 'utf8');
  if (OF_THE_PROCESS.test(text)) return true;
  const imported = [...text.matchAll(NAMES_FILE)].map(([, name = '']) => join(dirname(path), name));
  return imported.some((file) => touchesProcess(file, seen));
}

/** Folders whose tests compute in their own process, and neither serve nor start commands. */
const COMPUTING =
  /^(data|estimators|export\/photo-nodes|farm|formats|golden|ground|learning|networks|pasture|portable|recipes|report|runs|samples?|tensor|vision|workflows)\b/;

/** Files that leave a process as they found it share one, which loads sources and packages once for all of them. */
const SHARING = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.test.ts') && COMPUTING.test(name))
  .filter((name) => !touchesProcess(join(TESTS, name)))
  .map((name) => `test/${name}`);

export default defineConfig({
  test: {
    globalSetup: ['test/support/shared-cache.ts'],
    // Whole-command tests render, train and predict on two cores.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // One more than cores, since tests of servers, browsers and queues wait much.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: 'alone', include: ['test/**/*.test.ts'], exclude: SHARING } },
      { extends: true, test: { name: 'sharing', include: SHARING, isolate: false } },
    ],
  },
});
