import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { describe, it } from 'vitest';

/** Debian's Chromium, or another that the environment names. */
const PATH = process.env.SWARD_CHROMIUM ?? '/usr/bin/chromium';
const IS_THERE = existsSync(PATH);

/**
 * Tests that drive a browser. Where there is none they are skipped and say so; with SWARD_REQUIRE_BROWSER=1, as in
 * `.ci/run`, they fail.
 */
export function describeInBrowser(name: string, tests: () => void): void {
  if (IS_THERE) describe(name, tests);
  else if (process.env.SWARD_REQUIRE_BROWSER === '1') {
    describe(name, () => {
      it('needs Chromium', () => {
        throw new Error(`there is no ${PATH}; apt-get install chromium, or name one by SWARD_CHROMIUM`);
      });
    });
  } else describe.skip(`${name} (skipped: no ${PATH})`, tests);
}

/** Starts it without a window; its pages and workers can be told to collect garbage, see `heldMebibytes`. */
export const startChromium = (): Promise<Browser> =>
  chromium.launch({
    executablePath: PATH,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--js-flags=--expose-gc'],
  });
