import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordOf, type TestServer, upload } from '../server/farm-server.ts';
import { violationsOf } from '../support/axe.ts';
import { describeInBrowser, startChromium, WITH_GRAPHICS } from '../support/chromium.ts';
import { farmLine } from '../support/farm-line.ts';
import { openPhone, type Phone, photosOf, ready, startFarm, visit } from '../support/paddock-app.ts';
import { until } from '../support/until.ts';

/** Pictures of all screens are left here to be looked at. */
const PICTURES = process.env.SWARD_SCREENS;

const square = (longitude: number, latitude: number) => ({
  type: 'Polygon',
  coordinates: [
    [
      [longitude, latitude],
      [longitude + 0.004, latitude],
      [longitude + 0.004, latitude + 0.003],
      [longitude, latitude + 0.003],
      [longitude, latitude],
    ],
  ],
});

/** What is on a farm whose screens are looked at. */
interface Farmland {
  readonly river: string;
  readonly visit: string;
  readonly photo: string;
  readonly cut: string;
  readonly drying: string;
}

const at = (day: number, hour = 9): string =>
  `2026-${day > 30 ? 11 : 10}-${String(day > 30 ? day - 30 : day).padStart(2, '0')}T${String(hour).padStart(2, '0')}:00:00+11:00`;

async function stock(farm: TestServer, root: string): Promise<Farmland> {
  const put = async (path: string, body: { id: string }): Promise<void> => {
    const answer = await farm.ask(`/api/${path}/${body.id}`, { method: 'PUT', body });
    if (!answer.ok) throw new Error(await answer.text());
  };
  const [river, ridge] = [randomUUID(), randomUUID()];
  await put('paddocks', {
    ...{ id: river, name: 'River flat' },
    ...{ boundary: square(149.5, -33.4), hectares: 12 },
  } as never);
  await put('paddocks', {
    ...{ id: ridge, name: 'Ridge' },
    ...{ boundary: square(149.505, -33.4), hectares: null },
  } as never);
  const visits = [5, 19, 33].map((day) => ({
    id: randomUUID(),
    paddockId: river,
    startedAt: at(day),
    note: '',
  }));
  for (const walk of visits) await put('visits', walk);
  const files = await photosOf(root, 12, 500);
  const kept: string[] = [];
  for (const [index, { buffer }] of files.entries()) {
    const walk = visits[index % visits.length];
    const position = {
      longitude: 149.5005 + 0.0003 * index,
      latitude: -33.3985 + 0.0001 * index,
      accuracyMetres: 6,
    };
    const record = recordOf(buffer, {
      visitId: walk?.id ?? null,
      frameAreaSquareMetres: 0.21,
      capturedAt: walk?.startedAt ?? at(1),
      position,
    });
    await upload(farm, record, buffer);
    kept.push(record.id);
  }
  await until(async () => (await farm.json('/api/estimates?limit=500')).items.length === files.length);
  const cutOf = async (
    photoId: string | null,
    visitId: string,
    grams: number,
    isDry: boolean,
  ): Promise<string> => {
    const change = (step: object, day: number, hour: number) => ({
      id: randomUUID(),
      recordedAt: at(day, hour),
      change: { at: at(day, hour), ...step },
    });
    const dry = 0.22 * grams;
    const events = [
      change(
        { kind: 'frame-placed', frameAreaSquareMetres: 0.21, cuttingHeightCentimetres: 0, position: null },
        20,
        9,
      ),
      change({ kind: 'wet-weighed', grossGrams: grams + 20, bagGrams: 20, tared: false }, 20, 10),
      change({ kind: 'subsampled', wetGrams: grams }, 20, 11),
      change({ kind: 'drying-started', method: 'oven', celsius: 80 }, 20, 12),
      ...(isDry
        ? [
            change({ kind: 'dry-weighed', dryGrams: dry }, 22, 9),
            change({ kind: 'dry-weighed', dryGrams: dry }, 22, 12),
            change(
              { kind: 'sorted', greenGrams: 0.6 * dry, deadGrams: 0.3 * dry, cloverGrams: 0.1 * dry },
              22,
              14,
            ),
          ]
        : []),
    ];
    const id = randomUUID();
    await put('cuts', { id, visitId, photoId, events } as never);
    return id;
  };
  const cuts: string[] = [];
  for (const [index, photoId] of kept.slice(0, 6).entries()) {
    const walk = visits[index % visits.length];
    if (walk) cuts.push(await cutOf(photoId, walk.id, 150 + 30 * index, true));
  }
  const [, , last] = visits;
  const drying = await cutOf(null, last?.id ?? '', 210, false);
  return { river, visit: last?.id ?? '', photo: kept[11] ?? '', cut: cuts[0] ?? '', drying };
}

/** The small things that the page's database holds, drafts among them. */
const settingsOf = (page: Page): Promise<string> =>
  page.evaluate(
    () =>
      new Promise((settle) => {
        const opening = indexedDB.open('sward');
        opening.onsuccess = () => {
          const reading = opening.result.transaction('settings').objectStore('settings').getAll();
          reading.onsuccess = () => {
            opening.result.close();
            settle(JSON.stringify(reading.result));
          };
        };
      }),
  );

describeInBrowser('every screen', () => {
  let root: string;
  let farm: TestServer;
  let browser: Browser;
  let land: Farmland;
  /** A device with the farm on it, which is looked at in every size and light. */
  let phone: Phone;
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'sward-screens-'));
    [farm, browser] = await Promise.all([startFarm(root), startChromium(WITH_GRAPHICS)]);
    land = await stock(farm, root);
    phone = await openPhone(browser, farm, {
      pairAs: 'owner',
      position: { longitude: 149.501, latitude: -33.3985, accuracy: 6 },
    });
    await ready(phone.page);
    await visit(phone.page, 'outbox');
    await phone.page.getByText(/12 photos: 12 on the server/).waitFor();
    if (PICTURES) mkdirSync(PICTURES, { recursive: true });
  });
  afterAll(async () => {
    await browser?.close();
    await farm?.close();
    rmSync(root, { recursive: true, force: true });
  });

  const screens = (): Readonly<Record<string, string>> => ({
    photo: '',
    answer: `photo/${land.photo}`,
    paddocks: 'paddocks',
    paddock: `paddock/${land.river}`,
    boundary: `boundary/${land.river}`,
    visit: `visit/${land.visit}`,
    cuts: 'cuts',
    'new-cut': `cut/new/${land.visit}`,
    cut: `cut/${land.cut}`,
    drying: `cut/${land.drying}`,
    calibration: 'calibration',
    outbox: 'outbox',
    more: 'more',
    devices: 'devices',
    visits: 'visits',
    photos: 'photos',
    runs: 'runs',
    downloads: 'downloads',
    nowhere: 'nowhere',
  });

  const shown = async (page: Page, path: string): Promise<void> => {
    await visit(page, path);
    await page.locator('main').waitFor();
    await page.waitForFunction(() => !document.querySelector('img.thumb:not([src])'));
    await page.waitForTimeout(120);
  };

  /** All of a page at once, also what comes late: what the bar at the foot covers would count as too small to touch. */
  const showWhole = async (page: Page, width: number): Promise<void> => {
    await until(async () => {
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      const isShown = page.viewportSize()?.height === height;
      await page.setViewportSize({ width, height });
      await page.waitForTimeout(60);
      return isShown;
    });
  };

  for (const [name, options] of Object.entries({
    'phone by day': { viewport: { width: 390, height: 844 }, colorScheme: 'light' },
    'phone by night': { viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
    'desk by day': { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
    'desk by night': { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  } as const)) {
    it(`has no violation that axe finds, on a ${name}`, async () => {
      await phone.page.emulateMedia({ colorScheme: options.colorScheme });
      const found: Record<string, string[]> = {};
      for (const [screen, path] of Object.entries(screens())) {
        await phone.page.setViewportSize(options.viewport);
        await shown(phone.page, path);
        await showWhole(phone.page, options.viewport.width);
        if (PICTURES) {
          const file = join(PICTURES, `${screen} ${name}.png`.replaceAll(' ', '-'));
          await phone.page.screenshot({ path: file });
        }
        const violations = await violationsOf(phone.page);
        if (violations.length > 0) found[screen] = violations;
      }
      expect(found).toEqual({});
      expect(phone.complaints).toEqual([]);
    });
  }

  it('has targets of 44 px for a thumb, and needs no sideways scrolling at 320 px, as at 200 % zoom', async () => {
    const { page } = phone;
    await page.setViewportSize({ width: 320, height: 640 });
    const found: Record<string, string[]> = {};
    for (const [screen, path] of Object.entries(screens())) {
      await shown(page, path);
      const problems = await page.evaluate(() => {
        const isSmall = (element: Element): boolean => {
          const { height, width } = element.getBoundingClientRect();
          return height > 0 && (height < 44 || width < 44);
        };
        const targets =
          'button, .button, nav a, .back, .list a, select, .choices label, .leaflet-control a, input:not([type=radio], [type=file])';
        const small = [...document.querySelectorAll(targets)].filter(isSmall);
        const wide =
          document.documentElement.scrollWidth > innerWidth
            ? [`${document.documentElement.scrollWidth} px wide`]
            : [];
        return [...small.map(({ outerHTML }) => outerHTML.slice(0, 120)), ...wide];
      });
      if (problems.length > 0) found[screen] = problems;
    }
    expect(found).toEqual({});
  });

  it('is used with a keyboard alone, from a new paddock to a cut', async () => {
    const { page } = phone;
    await page.setViewportSize({ width: 1280, height: 800 });
    const { keyboard } = page;
    /** Until a screen is there and the reader is at its beginning: what is pressed before is pressed elsewhere. */
    const arrived = async (name: string): Promise<void> => {
      await page.getByRole('heading', { name, level: 1, exact: true }).waitFor();
      await page.waitForFunction(() => document.activeElement?.id === 'main');
    };
    /** Goes to something as who has no mouse does. */
    const tabTo = async (words: string): Promise<void> => {
      for (let press = 0; press < 80; press++) {
        await keyboard.press('Tab');
        const here = await page.evaluate(() => {
          const element = document.activeElement as HTMLElement | null;
          // All of the screen begins with what stands first on it.
          if (element?.id === 'main') return '';
          const label =
            element instanceof HTMLInputElement || element instanceof HTMLSelectElement
              ? element.labels?.[0]
              : null;
          return element?.ariaLabel ?? label?.textContent ?? element?.innerText ?? '';
        });
        if (here.trim().startsWith(words)) return;
      }
      throw new Error(`no key leads to ${words}`);
    };
    await visit(page, '');
    await arrived('Photograph a frame');
    await tabTo('Take a photo');
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), keyboard.press('Space')]);
    expect(chooser.isMultiple()).toBe(false);
    await tabTo('Paddocks');
    await keyboard.press('Enter');
    await arrived('Paddocks');
    await tabTo('New paddock');
    await keyboard.type('By keys');
    await keyboard.press('Enter');
    await arrived('By keys');
    await tabTo('Size');
    await keyboard.type('3.5');
    await tabTo('Keep');
    await keyboard.press('Enter');
    await tabTo('Cut a frame here');
    await keyboard.press('Enter');
    await arrived('Cut a frame');
    await tabTo('Cut at');
    await keyboard.type('4');
    await keyboard.press('Enter');
    await arrived('Cut in By keys');
    await tabTo('All that was cut');
    await keyboard.type('300');
    // What is typed is kept without anything being pressed, and outlives the page.
    await until(async () => (await settingsOf(page)).includes('"300"'));
    await page.reload();
    await page.getByRole('heading', { name: 'Weighed wet' }).waitFor();
    expect(await page.getByLabel('All that was cut').inputValue()).toBe('300');
    await tabTo('Empty bag');
    await keyboard.type('25');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Sub-sample weighed' }).waitFor();
  });

  it('shows a name as text on the map too, and asks no stranger for a picture', async () => {
    const { page } = phone;
    const name = '<img src="https://stranger.invalid/x.png">';
    const asked: string[] = [];
    phone.context.on('request', (request) => asked.push(request.url()));
    await visit(page, `paddock/${land.river}`);
    await page.getByLabel('Name').fill(name);
    await page.getByRole('button', { name: 'Keep', exact: true }).click();
    await page.getByRole('heading', { name, level: 1 }).waitFor();
    // A drawing that another has taken the place of fades away beside it.
    await page.locator('.leaflet-tooltip', { hasText: name }).first().waitFor();
    expect(await page.locator('.map img').count()).toBe(0);
    const blocked = page.evaluate(
      () =>
        new Promise<string>((settle) => {
          addEventListener('securitypolicyviolation', ({ blockedURI }) => settle(blockedURI), { once: true });
          new Image().src = 'https://stranger.invalid/y.png';
        }),
    );
    expect(await blocked).toBe('https://stranger.invalid/y.png');
    // Not even tried, as what the policy stops is.
    expect(asked.filter((url) => url.includes('stranger.invalid/x'))).toEqual([]);
    await page.getByLabel('Name').fill('ridge');
    await page.getByRole('button', { name: 'Keep', exact: true }).click();
    await page.getByText('There is a paddock called Ridge already').waitFor();
    await page.getByLabel('Name').fill('River flat');
    await page.getByRole('button', { name: 'Keep', exact: true }).click();
    await page.getByRole('heading', { name: 'River flat', level: 1 }).waitFor();
    phone.complaints.length = 0;
  });

  it('offers a viewer nothing to record, and says when the server knows it no more', async () => {
    await using other = await openPhone(browser, farm, { pairAs: 'viewer', estimates: false });
    const { page } = other;
    await page.getByText('This device was paired to look.').waitFor();
    for (const path of Object.values(screens())) {
      await shown(page, path);
      const words =
        /^(Take a photo|Next photo|Add|Read GeoJSON|Cut|Draw|Keep this|Choose photos|Add it|Another)/;
      const offered = await page.locator('main').locator('button, .button').allInnerTexts();
      expect([path, offered.filter((text) => words.test(text))]).toEqual([path, []]);
    }
    await other.context.clearCookies();
    await page.reload();
    await page.getByText('The server does not know this device any more.').waitFor();
    await page.reload();
    await page.getByRole('link', { name: 'Pair again' }).click();
    await page.getByLabel('Pairing link').waitFor();
  });

  it('keeps no file that is no photo, and places what waits for a paddock at once', async () => {
    await using other = await openPhone(browser, farm, { estimates: false });
    const { page } = other;
    const gallery = page.locator('input[type=file]:not([capture])');
    const text = { name: 'text.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('no photo at all') };
    const photos = await photosOf(root, 3, 400);
    await gallery.setInputFiles([text, ...photos, { ...text, name: 'none.jpg', buffer: Buffer.alloc(0) }]);
    await page.getByText(/text\.jpg: this is no photo.* none\.jpg: the file is empty/).waitFor();
    await page.getByRole('heading', { name: '3 photos without a paddock' }).waitFor();
    await page.getByLabel('New paddock').fill('Home');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('heading', { name: '3 photos without a paddock' }).waitFor({ state: 'detached' });
    expect(await page.locator('main .list strong').allInnerTexts()).toEqual(['Home', 'Home', 'Home']);
    // The next photo is at hand on the answer, wherever one has scrolled to.
    await page.locator('main .list a').first().click();
    const next = page.locator('label', { hasText: 'Next photo' });
    await next.waitFor();
    const { y = 9999, height = 0 } = (await next.boundingBox()) ?? {};
    expect(y + height).toBeLessThan(844);
  });

  it('tries the graphics chip by wish alone, and not again where the app ended in the test of it', async () => {
    const { page } = phone;
    const kept = () =>
      page.evaluate(async () => (await caches.keys()).filter((name) => /graphics/.test(name)).length);
    await visit(page, 'more');
    const card = page.locator('section.card', { hasText: 'Use the graphics chip' });
    await card.getByText(/26\.8 MB are fetched once/).waitFor();
    expect(await kept()).toBe(0);
    await card.getByText('On', { exact: true }).click();
    await card.getByText(/^Testing whether it answers as sward does/).waitFor();
    expect(await kept()).toBeGreaterThan(0);
    await page.reload();
    await card.getByText('Switched off: the app ended while it was tested.').waitFor();
    await card.getByText('On', { exact: true }).click();
    await card.getByText(/^Testing whether/).waitFor();
    await card.getByText('Off', { exact: true }).click();
    await card.getByRole('status').waitFor({ state: 'detached' });
    await until(async () => (await kept()) === 0);
    // What the service worker kept after that goes when the app is next opened.
    await page.evaluate(async () => void (await caches.open('sward-graphics')));
    await page.reload();
    await card.waitFor();
    expect(await card.getByRole('status').count()).toBe(0);
    await until(async () => (await kept()) === 0);
  });

  it('asks nobody but the farm’s own server', async () => {
    await using line = await farmLine(farm.server.address);
    await using other = await openPhone(browser, farm, { address: line.address, pairAs: 'owner' });
    const others: string[] = [];
    other.context.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (protocol.startsWith('http') && origin !== line.address) others.push(request.url());
    });
    await ready(other.page);
    for (const path of Object.values(screens())) await shown(other.page, path);
    expect(others).toEqual([]);
  });
});
