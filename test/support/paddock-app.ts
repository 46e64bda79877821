import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import sharp from 'sharp';
import { renderSample } from '../../src/sample/index.ts';
import type { Role } from '../../src/server/access/roles.ts';
import { startTestServer, type TestServer } from '../server/farm-server.ts';
import { PATIENCE } from './chromium.ts';

/** The public photos that are tested with. */
const CSIRO = resolve(process.env.SWARD_SHARED ?? '../shared', 'csiro');

/** The bundled run's model and the app are what `npm run build` has made; tests drive them as they are served. */
export async function startFarm(folder: string): Promise<TestServer> {
  return startTestServer(join(folder, 'farm'));
}

/** A phone, or another device, with storage of its own. */
export interface Phone extends AsyncDisposable {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What its console complained of. */
  readonly complaints: string[];
}

/** Where the phone stands, and how large it is. */
export interface PhoneOptions {
  readonly position?: {
    readonly longitude: number;
    readonly latitude: number;
    readonly accuracy?: number;
  } | null;
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly colorScheme?: 'light' | 'dark';
  /** Pairs it before the page is looked at. */
  readonly pairAs?: Role | null;
  /** Where it reaches the farm, by a line that may be cut; default the server itself. */
  readonly address?: string;
  /** Whether it estimates by itself; where that is no matter, it is spared. Default true. */
  readonly estimates?: boolean;
  /** Runs in the page before the app does. */
  readonly before?: () => void;
}

const PHONE = { width: 390, height: 844 };

/** Leaves the page without an engine that would ever be ready. */
export function withoutWorkers(): void {
  globalThis.Worker = class extends EventTarget {
    postMessage(): void {}
    terminate(): void {}
  } as never;
}

/** Opens the app on a new device. */
export async function openPhone(
  browser: Browser,
  farm: TestServer,
  {
    position = null,
    viewport = PHONE,
    colorScheme = 'light',
    pairAs = null,
    estimates = true,
    address = farm.server.address,
    before,
  }: PhoneOptions = {},
): Promise<Phone> {
  const context = await browser.newContext({
    viewport,
    colorScheme,
    timezoneId: 'Australia/Sydney',
    locale: 'en-AU',
    acceptDownloads: true,
    ...(position && { geolocation: position, permissions: ['geolocation'] }),
  });
  context.setDefaultTimeout(PATIENCE);
  if (!estimates) await context.addInitScript(withoutWorkers);
  if (before) await context.addInitScript(before);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // What the network lacks is what these tests take away.
    if (message.type() === 'error' && !/Failed to load resource|net::ERR/.test(message.text())) {
      complaints.push(message.text());
    }
  });
  const code = pairAs && (await farm.server.farm.devices.offer(`phone of a ${pairAs}`, pairAs)).code;
  await page.goto(code ? `${address}/#pair=${code}` : address);
  if (code) await page.waitForURL(/#\/$/);
  return { context, page, complaints, [Symbol.asyncDispose]: () => context.close() };
}

/** Waits until the device estimates by itself and opens without a network. */
export async function ready(page: Page): Promise<void> {
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(async () => {
    const parts: string[] = await (await fetch('/parts.json')).json();
    const kept = await Promise.all(parts.map((part) => caches.match(part)));
    return kept.every((response) => response !== undefined);
  });
  await page.getByText(/Fetching the model|Opening the model/).waitFor({ state: 'detached' });
}

/** A photo's file. */
export interface PhotoFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

/** Photos of pasture: public ones, or rendered where those are not at hand. */
async function pastures(folder: string): Promise<string[]> {
  const found = existsSync(CSIRO) ? CSIRO : join(folder, 'sample');
  if (found !== CSIRO) await renderSample({ out: found, count: 4, testCount: 1, width: 2000, threads: 0 });
  const train = join(found, 'train');
  return readdirSync(train)
    .filter((name) => name.endsWith('.jpg'))
    .sort()
    .map((name) => join(train, name));
}

/**
 * Photos that differ, each so many pixels across.
 *
 * @param folder where some may be rendered
 */
export async function photosOf(folder: string, count: number, width: number): Promise<PhotoFile[]> {
  const paths = await pastures(folder);
  return Promise.all(
    Array.from({ length: count }, async (_, index) => ({
      name: `photo-${index}.jpg`,
      mimeType: 'image/jpeg',
      buffer: await sharp(paths[index % paths.length])
        .resize(width + Math.floor(index / paths.length))
        .jpeg({ quality: 90 })
        .toBuffer(),
    })),
  );
}

export const sha256Of = (file: Buffer): string => createHash('sha256').update(file).digest('hex');

/** What the server has of photos. */
export async function photosOn(
  farm: TestServer,
): Promise<{ id: string; sha256: string; visitId: string | null; position: unknown }[]> {
  return (await farm.json('/api/photos?limit=500')).items;
}

/** Takes photos with the camera's button, as the system's camera gives files. */
export async function photograph(page: Page, files: string | PhotoFile): Promise<void> {
  await page.goto(`${new URL(page.url()).origin}/#/`);
  await page.locator('input[capture]').setInputFiles(files);
}

/** Goes to a screen. */
export async function visit(page: Page, path: string): Promise<void> {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, `#/${path}`);
}
