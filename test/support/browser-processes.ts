import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';

/** What the process that shows a page has used, with all its threads. */
export interface PageProcess {
  readonly id: number;
  /** Since it began. */
  readonly cpuSeconds: number;
}

/** The process that has worked most among those that show pages. */
export async function busiestPage(browser: Browser): Promise<PageProcess> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const pages = processInfo
    .filter(({ type }) => type === 'renderer')
    .map(({ id, cpuTime }) => ({ id, cpuSeconds: cpuTime }))
    .sort((a, b) => b.cpuSeconds - a.cpuSeconds);
  const [busiest] = pages;
  if (!busiest) throw new Error('no process shows a page');
  return busiest;
}

/** Memory of a process that lies in RAM, MiB (Linux). */
function residentMebibytes(id: number): number {
  const [, kibibytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8')) ?? [];
  return Number(kibibytes) / 1024;
}

/**
 * Memory that a page holds on to, MiB: what lies in RAM once its garbage was collected.
 *
 * @param collect collects it, by `gc()` in the page and its workers; Chromium is started so that there is one, see
 *   `startChromium`
 */
export async function heldMebibytes(collect: () => Promise<unknown>, id: PageProcess['id']): Promise<number> {
  const left: number[] = [];
  // What is only freed by what is collected, or a moment later, goes with the next round.
  for (let round = 0; round < 3; round++) {
    await collect();
    left.push(residentMebibytes(id));
  }
  return Math.min(...left);
}
