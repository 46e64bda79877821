import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Folders whose tests start nothing, set nothing and leave nothing behind: they run one after another in the same
 * processes, which then load the library once only and not once a file.
 */
const TOGETHER = ['data', 'estimators', 'farm', 'formats', 'learning', 'pasture', 'portable', 'recipes'].map(
  (folder) => `test/${folder}/**/*.test.ts`,
);

/** Folders with the longest files, which wait much: what begins with them has no worker idle in the end. */
const FIRST = ['web', 'cluster', 'server', 'cli', 'export'];

/** The longest files first; those that run together last. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification): number => {
      if (project.name === 'together') return FIRST.length + 1;
      const at = FIRST.findIndex((folder) => moduleId.includes(`/test/${folder}/`));
      return at < 0 ? FIRST.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

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
      { extends: true, test: { name: 'apart', include: ['test/**/*.test.ts'], exclude: TOGETHER } },
      { extends: true, test: { name: 'together', include: TOGETHER, isolate: false } },
    ],
  },
});
