import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { describeWith } from './describe-with.ts';

/** Debian's Chromium, or another that the environment names. */
const PATH = process.env.SWARD_CHROMIUM ?? '/usr/bin/chromium';

/** Tests that drive a browser. */
export const describeInBrowser = (name: string, tests: () => void): void =>
  describeWith(
    existsSync(PATH) ? null : PATH,
    {
      variable: 'SWARD_REQUIRE_BROWSER',
      remedy: 'apt-get install chromium, or name one by SWARD_CHROMIUM',
    },
    name,
    tests,
  );

/** How long a page is waited for, milliseconds: what comes, comes late on a machine that is slow or busy. */
export const PATIENCE = 120_000;

/** Gives pages a graphics chip that is computed, for WebGPU. */
export const WITH_GRAPHICS: readonly string[] = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
];

/** Starts it without a window; its pages and workers can be told to collect garbage, see `heldMebibytes`. */
export const startChromium = (more: readonly string[] = []): Promise<Browser> =>
  chromium.launch({
    executablePath: PATH,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--js-flags=--expose-gc', ...more],
  });
