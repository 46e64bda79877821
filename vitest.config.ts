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

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/shared-cache.ts'],
    // Whole-command tests render, train and predict on two cores.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // One more than cores, since tests of servers, browsers and queues wait much.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
  },
});
