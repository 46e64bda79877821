import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestServer } from '../server/farm-server.ts';
import { BarePage } from '../support/bare-page.ts';
import { busiestPage, heldMebibytes } from '../support/browser-processes.ts';
import { describeInBrowser, startChromium } from '../support/chromium.ts';
import { farmLine } from '../support/farm-line.ts';
import {
  openPhone,
  type PhotoFile,
  photograph,
  photosOf,
  photosOn,
  ready,
  sha256Of,
  startFarm,
  visit,
  withoutWorkers,
} from '../support/paddock-app.ts';
import { until } from '../support/until.ts';

/**
 * Public threads of other apps that lost, doubled or misplaced what people had recorded. That of the photo's turn
 * (JavaScript-Load-Image 97) is the engine's, in engine.test.ts, as is what the engine holds in memory (onnxruntime 26827);
 * that of jobs whose child fails (bullmq 3362) is the server's.
 */
/** Of the photos whose memory is measured, pixels. */
const PICTURE = { width: 2000, height: 1000 };

describeInBrowser('what befell others', () => {
  let root: string;
  let farm: TestServer;
  let browser: Browser;
  let photos: PhotoFile[];
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'sward-threads-'));
    [farm, browser, photos] = await Promise.all([startFarm(root), startChromium(), photosOf(root, 20, 420)]);
  });
  afterAll(async () => {
    await browser?.close();
    await farm?.close();
    rmSync(root, { recursive: true, force: true });
  });
  /** Photos that no test has used yet. */
  const take = (count: number): PhotoFile[] => photos.splice(0, count);
  const choose = async (page: Page, files: readonly PhotoFile[]): Promise<void> => {
    await visit(page, '');
    await page.locator('input[type=file]:not([capture])').setInputFiles(files as PhotoFile[]);
  };
  const outbox = async (page: Page, words: string | RegExp): Promise<void> => {
    await visit(page, 'outbox');
    await page.getByText(words).first().waitFor();
  };
  /** Waits until so many more photos than before are on the server, as the device says. */
  const sent = async (page: Page, files: readonly PhotoFile[], before: number): Promise<void> => {
    const count = before + files.length;
    await outbox(page, `${count} photos: ${count} on the server, 0 only here.`);
  };
  const hashesOn = async (): Promise<string[]> => (await photosOn(farm)).map(({ sha256 }) => sha256);

  it('QField 4765: a photo is on the server only when its hash is acknowledged', async () => {
    await using line = await farmLine(farm.server.address);
    await using phone = await openPhone(browser, farm, {
      pairAs: 'recorder',
      address: line.address,
      estimates: false,
    });
    line.alter = (path, answer) =>
      /^\/api\/photos\/[0-9a-f-]{36}$/.test(path)
        ? Buffer.from(answer.toString().replace(/"sha256":"[0-9a-f]{64}"/, `"sha256":"${'0'.repeat(64)}"`))
        : null;
    const [file] = take(1);
    if (file) await choose(phone.page, [file]);
    await outbox(phone.page, /has not acknowledged the photo’s hash/);
    await phone.page.getByText(/1 only here/).waitFor();
    line.alter = () => null;
    await phone.page.getByRole('button', { name: 'Send now' }).click();
    await outbox(phone.page, 'Nothing waits.');
    await phone.page.getByText(/0 only here/).waitFor();
  });

  it('enketo-express 776: eight photos beyond 5 MB all arrive over a connection that is cut midway', async () => {
    await using line = await farmLine(farm.server.address);
    await using phone = await openPhone(browser, farm, {
      pairAs: 'recorder',
      address: line.address,
      estimates: false,
    });
    const files = await Promise.all(
      take(8).map(async ({ buffer, ...file }) => ({
        ...file,
        buffer: await sharp(buffer).resize(1800).jpeg({ quality: 100 }).toBuffer(),
      })),
    );
    expect(files.reduce((sum, { buffer }) => sum + buffer.length, 0)).toBeGreaterThan(5_000_000);
    const before = (await hashesOn()).length;
    line.cutAfter(300_000, 2);
    await choose(phone.page, files);
    await sent(phone.page, files, before);
    expect(line.cuts).toBe(2);
    // What had arrived before a cut is not sent again.
    expect(line.seen.some((request) => request.startsWith('HEAD /api/uploads/'))).toBe(true);
    const stored = await hashesOn();
    for (const { buffer } of files) expect(stored).toContain(sha256Of(buffer));
  });

  it('farmOS field-kit 365: what is sent again is there once', async () => {
    await using phone = await openPhone(browser, farm, { pairAs: 'recorder', estimates: false });
    const { page } = phone;
    await visit(page, 'paddocks');
    await page.getByLabel('New paddock').fill('Twice');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    const files = take(1);
    const count = (await hashesOn()).length;
    await visit(page, '');
    await choose(page, files);
    await sent(page, files, count);
    const before = {
      photos: (await hashesOn()).sort(),
      paddocks: (await farm.json('/api/paddocks')).items.length,
    };
    // The answers were lost, as far as this device remembers.
    await page.evaluate(
      () =>
        new Promise<void>((settle, fail) => {
          const opening = indexedDB.open('sward');
          opening.onerror = () => fail(opening.error);
          opening.onsuccess = () => {
            const writing = opening.result.transaction(['photos', 'paddocks', 'outbox'], 'readwrite');
            const outbox = writing.objectStore('outbox');
            for (const kind of ['photo', 'paddock'] as const) {
              const reading = writing.objectStore(`${kind}s`).getAll();
              reading.onsuccess = () => {
                for (const record of reading.result) {
                  outbox.put({
                    key: `${kind}/${record.id}`,
                    kind,
                    id: record.id,
                    version: 1,
                    since: '2026',
                    refused: null,
                  });
                  if (kind === 'photo' && record.origin !== 'server') {
                    writing.objectStore('photos').put({ ...record, storedAt: null });
                  }
                }
              };
            }
            writing.oncomplete = () => {
              opening.result.close();
              settle();
            };
          };
        }),
    );
    await page.reload();
    await outbox(page, 'Nothing waits.');
    await page.getByText(/Up to date with the server/).waitFor();
    expect((await hashesOn()).sort()).toEqual(before.photos);
    expect((await farm.json('/api/paddocks')).items).toHaveLength(before.paddocks);
  });

  it('iNaturalistReactNative 1420: photos that wait outlive a newer shell and a newer schema', async () => {
    await using line = await farmLine(farm.server.address);
    const files = take(2);
    await using phone = await openPhone(browser, farm, {
      address: `${line.address}/healthz`,
      estimates: false,
    });
    const { page } = phone;
    // As the first version of the schema has them.
    await page.evaluate(
      async (given) => {
        const bytes = given.map((text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
        const hashes = await Promise.all(
          bytes.map(async (photo) =>
            Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', photo)), (byte) =>
              byte.toString(16).padStart(2, '0'),
            ).join(''),
          ),
        );
        await new Promise<void>((settle, fail) => {
          const opening = indexedDB.open('sward', 1);
          opening.onerror = () => fail(opening.error);
          opening.onupgradeneeded = () => {
            for (const store of ['paddocks', 'visits', 'photos', 'files', 'estimates', 'cuts']) {
              opening.result.createObjectStore(store, { keyPath: 'id' });
            }
            opening.result.createObjectStore('outbox', { keyPath: 'key' });
            opening.result.createObjectStore('settings', { keyPath: 'name' });
          };
          opening.onsuccess = () => {
            const writing = opening.result.transaction(['photos', 'files', 'outbox'], 'readwrite');
            bytes.forEach((photo, index) => {
              const id = crypto.randomUUID();
              const record = {
                id,
                visitId: null,
                sha256: hashes[index],
                capturedAt: '2026-11-03T09:12:00+11:00',
                position: null,
                frameAreaSquareMetres: 0.21,
                height: null,
              };
              writing.objectStore('photos').put({
                ...{
                  id,
                  record,
                  fileName: 'old.jpg',
                  mediaType: 'image/jpeg',
                  bytes: photo.length,
                  origin: 'camera',
                },
                ...{ advice: [], filePosition: null, storedAt: null, problem: null },
              });
              writing.objectStore('files').put({ id, blob: new Blob([photo], { type: 'image/jpeg' }) });
              writing
                .objectStore('outbox')
                .put({ key: `photo/${id}`, kind: 'photo', id, version: 1, since: '2026', refused: null });
            });
            writing.oncomplete = () => {
              opening.result.close();
              settle();
            };
          };
        });
      },
      files.map(({ buffer }) => buffer.toString('base64')),
    );
    await page.goto(`${line.address}/#/outbox`);
    await page.getByText('2 photos: 0 on the server, 2 only here.').waitFor();
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.reload();
    line.alter = (path, answer) =>
      path === '/sw.js' ? Buffer.concat([answer, Buffer.from('\n// newer\n')]) : null;
    await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
    await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Use it' }).click()]);
    await page.getByText('2 photos: 0 on the server, 2 only here.').waitFor();
    const { code } = await farm.server.farm.devices.offer('phone', 'recorder');
    await visit(page, 'more');
    await page.getByLabel('Pairing link').fill(`${farm.server.address}/#pair=${code}`);
    await page.getByRole('button', { name: 'Pair', exact: true }).click();
    await outbox(page, 'Nothing waits.');
    const stored = await hashesOn();
    for (const { buffer } of files) expect(stored).toContain(sha256Of(buffer));
  });

  it('INaturalistIOS 262: a position is that of the shutter, with its accuracy, wherever it is sent from', async () => {
    await using line = await farmLine(farm.server.address);
    const shutter = { longitude: 149.5, latitude: -33.4, accuracy: 7 };
    await using phone = await openPhone(browser, farm, {
      pairAs: 'recorder',
      position: shutter,
      address: line.address,
      estimates: false,
    });
    await phone.page.getByText(/±7 m/).waitFor();
    line.down();
    const [file] = take(1);
    if (!file) throw new Error('no photo');
    await photograph(phone.page, file);
    await phone.page.getByText(/Position at the shutter: -33.40000, 149.50000 \(±7 m\)/).waitFor();
    await phone.context.setGeolocation({ longitude: 151.2, latitude: -33.9, accuracy: 30 });
    line.up();
    await outbox(phone.page, 'Nothing waits.');
    const stored = (await photosOn(farm)).find(({ sha256 }) => sha256 === sha256Of(file.buffer));
    expect(stored?.position).toEqual({ longitude: 149.5, latitude: -33.4, accuracyMetres: 7 });
  });

  it('immich 28498: a chosen photo without a position asks for its paddock, and gets none from the device', async () => {
    const here = { longitude: 149.5, latitude: -33.4, accuracy: 7 };
    await using phone = await openPhone(browser, farm, { position: here, estimates: false });
    await phone.page.getByText(/±7 m/).waitFor();
    const [file] = take(1);
    if (file) await choose(phone.page, [file]);
    await phone.page.getByRole('heading', { name: 'Which paddock?' }).waitFor();
    await phone.page.getByText('This photo has no position of its own, so it asks.').waitFor();
    await phone.page.getByText(/No position\./).waitFor();
  });

  it('PicPeak 1248: the camera and the gallery are both there', async () => {
    await using phone = await openPhone(browser, farm, { estimates: false });
    const inputs = phone.page.locator('input[type=file]');
    await inputs.first().waitFor({ state: 'attached' });
    expect(await inputs.evaluateAll((all) => all.map((input) => input.getAttribute('capture')))).toEqual([
      'environment',
      null,
    ]);
    await phone.page.getByText('From the gallery').waitFor();
  });

  it('blitz-hermite-resize 6: a photo of 24 megapixels is answered as the server answers it', async () => {
    await using line = await farmLine(farm.server.address);
    await using phone = await openPhone(browser, farm, { pairAs: 'recorder', address: line.address });
    await ready(phone.page);
    const [small] = take(1);
    if (!small) throw new Error('no photo');
    const buffer = await sharp(small.buffer)
      .resize(6000, 4000, { fit: 'fill' })
      .jpeg({ quality: 80 })
      .toBuffer();
    // The server’s answer takes the place of the device’s, which is looked at before.
    line.down();
    await photograph(phone.page, { ...small, buffer });
    await phone.page.locator('.figure').first().waitFor();
    const estimatesOf = (): Promise<{ kgDmPerHa: { total: number }; engine: string }[]> =>
      phone.page.evaluate(
        () =>
          new Promise((settle) => {
            const opening = indexedDB.open('sward');
            opening.onsuccess = () => {
              const reading = opening.result.transaction('estimates').objectStore('estimates').getAll();
              reading.onsuccess = () => {
                opening.result.close();
                settle(reading.result.filter(({ engine }) => engine.includes('wasm')));
              };
            };
          }),
      );
    const [own] = await estimatesOf();
    line.up();
    const stored = await until(async () =>
      (await photosOn(farm)).find(({ sha256 }) => sha256 === sha256Of(buffer)),
    );
    const said = await until(
      async () => (await farm.json(`/api/estimates?photoId=${stored.id}`)).items[0]?.estimate,
    );
    const difference = Math.abs((own?.kgDmPerHa.total ?? Number.NaN) - said.kgDmPerHa.total);
    expect(difference).toBeLessThan(Math.max(0.005 * said.kgDmPerHa.total, (0.05 * 10) / 0.21));
  });

  it('Dexie 739: storage that was wiped is noticed, and what the server has comes back', async () => {
    await using phone = await openPhone(browser, farm, { pairAs: 'recorder', estimates: false });
    const { page, context } = phone;
    await outbox(page, /Up to date with the server/);
    const count = (await photosOn(farm)).length;
    await page.goto('about:blank');
    const session = await context.newCDPSession(page);
    await session.send('Storage.clearDataForOrigin', {
      origin: farm.server.address,
      storageTypes: 'indexeddb,local_storage,cache_storage,service_workers',
    });
    await page.goto(`${farm.server.address}/#/outbox`);
    await page
      .getByText(new RegExp(`copy was gone and was fetched back from the server: ${count} photos`))
      .waitFor();
    await page.getByText(`${count} photos: ${count} on the server, 0 only here.`).waitFor();
  });

  it('transformers.js 685: what was opened once estimates without a network', async () => {
    await using line = await farmLine(farm.server.address);
    await using phone = await openPhone(browser, farm, { address: line.address });
    await ready(phone.page);
    line.down();
    await phone.context.setOffline(true);
    await phone.page.reload();
    await ready(phone.page);
    const [file] = take(1);
    if (!file) throw new Error('no photo');
    await photograph(phone.page, file);
    await phone.page.locator('.figure').first().waitFor();
  });

  it('says so where storage is denied, and still answers and exports', async () => {
    await using phone = await openPhone(browser, farm, {
      before: () => {
        Object.defineProperty(globalThis, 'indexedDB', {
          get() {
            throw new DOMException('denied', 'SecurityError');
          },
        });
      },
    });
    await phone.page.getByText('Nothing stays here.').waitFor();
    await ready(phone.page);
    const [file] = take(1);
    if (!file) throw new Error('no photo');
    await photograph(phone.page, file);
    await phone.page.locator('.figure').first().waitFor();
    await visit(phone.page, 'outbox');
    const [download] = await Promise.all([
      phone.page.waitForEvent('download'),
      phone.page.getByRole('button', { name: 'Export as zip' }).click(),
    ]);
    const zip = await download.createReadStream();
    const chunks: Buffer[] = [];
    for await (const chunk of zip) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).includes(file.buffer)).toBe(true);
  });

  it('keeps nothing by halves where the device has no room, and says so', async () => {
    await using phone = await openPhone(browser, farm, {
      estimates: false,
      before: () => {
        const put = IDBObjectStore.prototype.put;
        IDBObjectStore.prototype.put = function (...given: Parameters<typeof put>) {
          if (this.name === 'files') throw new DOMException('full', 'QuotaExceededError');
          return put.apply(this, given);
        };
      },
    });
    const [file] = take(1);
    if (file) await choose(phone.page, [file]);
    await phone.page.getByText(/no room left: this was not kept/).waitFor();
    await outbox(phone.page, '0 photos: 0 on the server, 0 only here.');
  });

  it('onnxruntime 26827: 50 photos through the app leave nothing of a photo’s size in memory', async () => {
    await using page = await BarePage.open(browser, farm.server.address, withoutWorkers);
    const [file] = await photosOf(root, 1, PICTURE.width);
    let taken = 0;
    const photographed = async (count: number): Promise<void> => {
      for (const end = taken + count; taken < end; taken++) {
        const path = join(root, `taken-${taken}.jpg`);
        // What follows a picture makes it another file.
        writeFileSync(path, Buffer.concat([file?.buffer ?? Buffer.alloc(0), Buffer.from(`${taken}`)]));
        await page.evaluate("location.hash = '#/'");
        await page.choose('input[capture]', path);
        await page.shows('Waits to be estimated');
      }
    };
    const held = async (): Promise<number> => {
      // What browsers keep of decoded pictures for as long as there is room is given back where there is none.
      await page.send('Memory.simulatePressureNotification', { level: 'critical' });
      return heldMebibytes(() => page.evaluate('gc()'), (await busiestPage(browser)).id);
    };
    const nodes = async (): Promise<number> => Number((await page.send('Memory.getDOMCounters')).nodes);
    /** The least memory and nodes held after each of five more photos: garbage that waits is no leak, and does not always. */
    const leastHeld = async (): Promise<[mebibytes: number, nodes: number]> => {
      const [mebibytes, counts]: [number[], number[]] = [[], []];
      while (counts.length < 5) {
        await photographed(1);
        mebibytes.push(await held());
        counts.push(await nodes());
      }
      return [Math.min(...mebibytes), Math.min(...counts)];
    };
    await photographed(10);
    const [early, earlyNodes] = await leastHeld();
    await photographed(30);
    const [late, lateNodes] = await leastHeld();
    // The measure sees pictures that stay, decoded, of as many photos.
    const decoded = (4 * PICTURE.width * PICTURE.height) / 2 ** 20;
    await page.evaluate(
      `kept = Array.from({ length: 35 }, () => new Uint8Array(${decoded * 2 ** 20}).fill(1)), 0`,
    );
    const leaking = await held();
    const figures = `${[early, late, leaking].map(Math.round).join(', ')} MiB; ${earlyNodes}, ${lateNodes} nodes`;
    expect(leaking - late, figures).toBeGreaterThan(0.8 * 35 * decoded);
    expect(late - early, figures).toBeLessThan(0.4 * 35 * decoded);
    // Twelve photos are listed after the 15th as after the 50th: no screen stays behind.
    expect(lateNodes, figures).toBeLessThan(1.5 * earlyNodes);
  });
});
