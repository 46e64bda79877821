import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { JSDOM } from 'jsdom';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cutHistory, type Figure, type VisitMean } from '../../src/farm/index.ts';
import { adviceOn, CHECKED_WIDTH } from '../../web/src/capture/checks.ts';
import { factsOf } from '../../web/src/capture/file-facts.ts';
import { futureWords } from '../../web/src/capture/future.ts';
import { momentOf } from '../../web/src/capture/moment.ts';
import type { Engine } from '../../web/src/engine/engine.ts';
import type { GraphicsTest } from '../../web/src/engine/messages.ts';
import { Graphics, graphicsWords } from '../../web/src/estimate/graphics.ts';
import { readBoundaries, withOwnNames } from '../../web/src/map/boundary-files.ts';
import { heightWords, typedHeight } from '../../web/src/parts/height-words.ts';
import { biasWords, daysWords, megabytes } from '../../web/src/parts/words.ts';
import { pictureSources, tileOrigins } from '../../web/src/shell/picture-policy.ts';
import type { FarmStore } from '../../web/src/store/farm-store.ts';
import { unplacedNotice } from '../../web/src/store/notices.ts';
import { FrameSize, Settings } from '../../web/src/store/settings.ts';
import { bagMark, cutBegun } from '../../web/src/visits/bag-mark.ts';
import { dueOf } from '../../web/src/visits/cut-due.ts';
import { plannedBudget, plannedField, typedPlan } from '../../web/src/visits/feed-plan.ts';
import { offFromCuts, scoreWords } from '../../web/src/visits/run-figures.ts';
import { cutEvents } from '../server/cut-events.ts';

describe('what is said of a height', () => {
  it('says nothing of a run that is not open yet', () => {
    expect(heightWords(undefined, 'ruler')).toMatch(/^It is kept with the photo\. .* not known here/);
  });

  it('calls worth it what the run reads, and nothing else', () => {
    expect(heightWords('falling-plate', undefined)).toMatch(/^Worth it, measured with a falling plate/);
    expect(heightWords('falling-plate', 'falling-plate')).toMatch(/^Worth it/);
    expect(heightWords('falling-plate', 'ruler')).toMatch(/^This run reads heights .* falling plate alone/);
    expect(heightWords(null, 'ruler')).toMatch(/^This run reads none/);
  });

  it('says what it is worth in kg/ha', () => {
    expect(heightWords('falling-plate', undefined, { without: 612, with: 488 })).toMatch(
      /: off by about 490 kg\/ha with it and 610 without, on visits the run had not seen\.$/,
    );
  });

  it('is kept as it was typed, and what no such sward has is refused by how it was measured', () => {
    expect(typedHeight('7,5', 'ruler')).toEqual({ centimetres: 7.5, method: 'ruler' });
    expect(typedHeight(' ', null)).toBeNull();
    expect(() => typedHeight('7', null)).toThrow('Say what it was measured with.');
    for (const text of ['abc', '0', '-3', '150'])
      expect(() => typedHeight(text, 'falling-plate')).toThrow(/from 0.5 to 100 cm for a falling plate/);
    expect(typedHeight('150', 'ruler')?.centimetres).toBe(150);
  });

  it('supposes no way of measuring', () => {
    expect(Settings.parse({}).heightMethod).toBeNull();
  });
});

describe('advice on a photo', () => {
  /** A sward of sorts: every pixel of its own green. */
  const grass = Buffer.from(
    Array.from(
      { length: CHECKED_WIDTH * 256 * 3 },
      (_, at) => ((at * 7919) % 160) + (at % 3 === 1 ? 60 : 20),
    ),
  );
  const photo = async (
    change: (picture: Sharp) => Sharp,
    tiltDegrees: number | null = null,
    width = 2000,
  ) => {
    const raw = { width: CHECKED_WIDTH, height: 256, channels: 3 } as const;
    const { data } = await change(sharp(grass, { raw }))
      .ensureAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const copy = { width: CHECKED_WIDTH, height: 256, data: new Uint8ClampedArray(data) };
    return adviceOn({ copy, width, height: width / 2, tiltDegrees });
  };

  it('has nothing to say of a good one', async () => {
    expect(await photo((picture) => picture, 10)).toEqual([]);
  });

  it.each([
    ['blurred', (picture: Sharp) => picture.blur(3), /^Blurred/],
    ['dark', (picture: Sharp) => picture.linear(0.2, 0), /^Too dark/],
    ['blown out', (picture: Sharp) => picture.linear(3, 60), /^Blown out/],
  ])('says that one is %s', async (_, change, words) => {
    expect((await photo(change)).join(' ')).toMatch(words);
  });

  it('says that one is tilted or small', async () => {
    expect(await photo((picture) => picture, 35)).toEqual([expect.stringMatching(/^Tilted by 35°/)]);
    expect(await photo((picture) => picture, null, 640)).toEqual([
      expect.stringMatching(/^Small: 640 × 320/),
    ]);
  });
});

it('a frame has the sides and the area that frames have', () => {
  const isFrame = (widthCentimetres: number, depthCentimetres: number): boolean =>
    FrameSize.safeParse({ widthCentimetres, depthCentimetres }).success;
  expect([isFrame(70, 30), isFrame(100, 100)]).toEqual([true, true]);
  expect([
    isFrame(0, 30),
    isFrame(-70, -30),
    isFrame(7000, 1),
    isFrame(500, 500),
    isFrame(5, 5),
  ]).not.toContain(true);
});

describe('pictures that a page may ask for', () => {
  const own = "'self' blob: data:";
  const sources = (tiles: string): string => pictureSources(tiles, 'https://farm.test/#/more');

  it('are its own, and those of the map tiles that are set', () => {
    expect(sources('')).toBe(own);
    expect(sources('https://tiles.test:8443/a/{z}/{x}/{y}.png')).toBe(`${own} https://tiles.test:8443`);
    expect(sources('https://{s}.tiles.test/{z}/{x}/{y}')).toBe(
      `${own} https://a.tiles.test https://b.tiles.test https://c.tiles.test`,
    );
    expect(sources('/tiles/{z}/{x}/{y}')).toBe(`${own} https://farm.test`);
  });

  it.each(['http://tiles.test/{z}/{x}/{y}', 'https://:/{z}/{x}/{y}', 'https://tiles.test/', 'tiles'])(
    'are no others where %s is no address of tiles',
    (tiles) => {
      expect(tileOrigins(tiles, 'https://farm.test/')).toBeNull();
      expect(sources(tiles)).toBe(own);
    },
  );
});

it('room is said in the unit that fits it', () => {
  expect([megabytes(340_000), megabytes(19_500_000), megabytes(10_758_200_000)]).toEqual([
    '0.3 MB',
    '19.5 MB',
    '10.8 GB',
  ]);
});

describe('files of boundaries', () => {
  const { DOMParser } = globalThis;
  beforeAll(() => {
    globalThis.DOMParser = new JSDOM().window.DOMParser;
  });
  afterAll(() => {
    globalThis.DOMParser = DOMParser;
  });
  const ring = [
    [149.5, -33.4],
    [149.504, -33.4],
    [149.504, -33.397],
    [149.5, -33.4],
  ];

  it('are read as GeoJSON, what is no area left out by its name', () => {
    const text = JSON.stringify({
      type: 'FeatureCollection',
      features: [
        {
          type: 'Feature',
          properties: { name: 'Gate' },
          geometry: { type: 'Point', coordinates: [149.5, -33.4] },
        },
        {
          type: 'Feature',
          properties: { name: 'River' },
          geometry: { type: 'Polygon', coordinates: [ring] },
        },
      ],
    });
    const leftOut: string[] = [];
    expect(readBoundaries('farm.geojson', text, (why) => leftOut.push(why))).toEqual([
      { name: 'River', boundary: { type: 'Polygon', coordinates: [ring] } },
    ]);
    expect(leftOut).toEqual(['Gate: a point, not an area']);
  });

  it('get a number where two are called alike', () => {
    const named = (name: string) => ({ name, boundary: { type: 'Polygon' as const, coordinates: [] } });
    const names = withOwnNames(['Flat', 'flat', 'Ridge', 'Flat'].map(named)).map(({ name }) => name);
    expect(names).toEqual(['Flat', 'flat 2', 'Ridge', 'Flat 3']);
  });

  it('are read as KML, with their holes', () => {
    const line = (points: number[][]): string => points.map((point) => [...point, 0].join(',')).join('\n ');
    const hole = ring.map(([x = 0, y = 0]) => [149.503 + (x - 149.503) / 4, -33.3993 + (y + 33.3993) / 4]);
    const text = `<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>Ridge</name>
      <Polygon><outerBoundaryIs><LinearRing><coordinates>${line(ring)}</coordinates></LinearRing></outerBoundaryIs>
      <innerBoundaryIs><LinearRing><coordinates>${line(hole)}</coordinates></LinearRing></innerBoundaryIs></Polygon>
      </Placemark></Document></kml>`;
    expect(readBoundaries('farm.kml', text)).toEqual([
      { name: 'Ridge', boundary: { type: 'Polygon', coordinates: [ring, hole] } },
    ]);
  });

  it('are taken but for one that crosses itself, which is named', () => {
    const crossed = [ring[0], ring[2], ring[1], [149.5, -33.397], ring[0]];
    const feature = (properties: object, coordinates: unknown, more: object = {}) => ({
      type: 'Feature',
      properties,
      geometry: { type: 'Polygon', coordinates: [coordinates] },
      ...more,
    });
    const text = JSON.stringify({
      type: 'FeatureCollection',
      features: [
        feature({ PADDOCK: 'Creek' }, ring),
        feature({ PADDOCK: 'Crossed' }, crossed),
        feature({ FID: 3, Name: '', TITLE: 'Ridge' }, ring),
        feature({ ID: 7 }, ring),
        feature({}, ring, { id: 'house' }),
        feature({ area: 3 }, ring),
      ],
    });
    const leftOut: string[] = [];
    const read = readBoundaries('farm.geojson', text, (why) => leftOut.push(why));
    expect(read.map(({ name }) => name)).toEqual(['Creek', 'Ridge', '7', 'house', 'Paddock 6']);
    expect(leftOut).toEqual([expect.stringMatching(/^Crossed: .*crosses or touches itself/)]);
  });

  it.each([
    ['{"type":"FeatureCollection","features":[]}', /has no area in it/],
    ['paddock,1,2', /neither GeoJSON nor KML/],
    [
      JSON.stringify({
        type: 'Feature',
        properties: {},
        geometry: { type: 'Polygon', coordinates: [ring.slice(0, 3)] },
      }),
      /Paddock 1: .*ring of 3 positions/,
    ],
    [
      JSON.stringify({
        type: 'Feature',
        properties: {},
        geometry: { type: 'Polygon', coordinates: [ring.map(([x, y]) => [y, x])] },
      }),
      /Paddock 1: latitudes lie from -90 to 90 degrees north, and come after the longitude/,
    ],
  ])('are refused with a remedy: %s', (text, words) => {
    expect(() => readBoundaries('farm.json', text)).toThrow(words);
  });
});

const SHARED_HEIC = join(process.env.SWARD_SHARED ?? '../shared', 'cases/04-heic-folder/true_heic_gps.heic');

describe('what a photo’s file says', () => {
  const exif = {
    IFD2: { DateTimeOriginal: '2015:09:04 10:11:12', OffsetTimeOriginal: '+10:00' },
    IFD3: {
      GPSLatitudeRef: 'S',
      GPSLatitude: '33/1 24/1 0/1',
      GPSLongitudeRef: 'E',
      GPSLongitude: '149/1 30/1 0/1',
    },
  };
  const picture = (said?: typeof exif) => {
    const plain = sharp({ create: { width: 32, height: 24, channels: 3, background: 'green' } });
    return said ? plain.withExif(said) : plain;
  };

  it('is when, in the zone it names, and where, of JPEG and of what is none', async () => {
    const said = {
      takenAt: '2015-09-04T10:11:12.000+10:00',
      position: { latitude: -33.4, longitude: 149.5, accuracyMetres: null },
    };
    expect(await factsOf(await picture(exif).jpeg().toBuffer())).toEqual(said);
    expect(await factsOf(await picture(exif).webp().toBuffer())).toEqual(said);
  });

  it.skipIf(!existsSync(SHARED_HEIC))(
    'is read of a HEIC as an iPhone writes it, wherever in it the time stands',
    async () => {
      const { takenAt, position } = await factsOf(readFileSync(SHARED_HEIC));
      expect(takenAt).toBe(momentOf(new Date(2015, 8, 4, 10, 11, 12)));
      expect(position?.latitude).toBeCloseTo(-33.8583, 4);
    },
  );

  it('is in this device’s zone where it names none, and nothing where it says nothing', async () => {
    const { OffsetTimeOriginal: _, ...IFD2 } = exif.IFD2;
    const here = await factsOf(
      await picture({ ...exif, IFD2 } as typeof exif)
        .jpeg()
        .toBuffer(),
    );
    expect(here.takenAt).toBe(momentOf(new Date(2015, 8, 4, 10, 11, 12)));
    const nothing = { takenAt: null, position: null };
    expect(await factsOf(await picture().jpeg().toBuffer())).toEqual(nothing);
    expect(await factsOf(new Uint8Array(9))).toEqual(nothing);
  });

  it('is doubted where that is still to come', () => {
    const now = Date.parse('2026-11-28T09:00:00+11:00');
    expect(futureWords('2026-11-28T09:04:00+11:00', now)).toBeNull();
    expect(futureWords('2026-11-29T09:00:00+11:00', now)).toMatch(/still to come/);
  });
});

describe('a run', () => {
  const score = { r2: 0.4, rmse: 652, cuts: 25, visits: 3, days: 1, sorted: 1, learnt: ['total' as const] };

  it('that was trained here says what it is off by, and what is missing for the rest', () => {
    const words = scoreWords(score);
    expect(words).toMatch(/off by about 652 kg DM\/ha; 25 cuts of 3 visits\. All are of one day/);
    expect(words).toMatch(/total alone, since 1 of 25 cuts is sorted: .* sort cuts of two paddocks at least/);
    expect(scoreWords({ ...score, days: 3, learnt: undefined })).not.toMatch(/alone|one day/);
  });

  it('is judged by cuts that it has not seen', () => {
    const events = cutEvents({ dry: 20 });
    const cuts = new Map([['c', { id: 'c', visitId: 'v', photoId: 'p', events }]]);
    const off = (trainedOn: boolean, jobs: Parameters<typeof offFromCuts>[2] = []) =>
      offFromCuts(
        {
          cuts: { value: cuts },
          estimates: {
            value: new Map([
              ['p', [{ photoId: 'p', run: { hash: 'h' }, trainedOn, kgDmPerHa: { total: 1500 } }]],
            ]),
          },
        } as unknown as FarmStore,
        { id: 'own', hash: 'h' },
        jobs,
      );
    expect(off(false)).toEqual({ kind: 'unseen', rmse: 100, cuts: 1 });
    expect(off(true)).toEqual({ kind: 'trained-on' });
    const job = { progress: { runId: 'own', score } } as unknown as Parameters<typeof offFromCuts>[2][number];
    expect(off(true, [job])).toEqual({ kind: 'left-out', rmse: 652, cuts: 25 });
  });
});

it('a moment has the offset of the place', () => {
  const moment = momentOf(new Date('2026-11-02T22:12:00Z'));
  expect(Date.parse(moment)).toBe(Date.parse('2026-11-02T22:12:00Z'));
  expect(moment).toMatch(/^2026-11-0\dT\d\d:12:00\.000[+-]\d\d:\d\d$/);
});

describe('what a cut waits for', () => {
  const events = cutEvents({ dry: 20 });
  const due = (count: number, hour: number) =>
    dueOf(cutHistory(events.slice(0, count)).state, Date.UTC(2026, 10, 3, hour));

  it('is the oven for twelve hours, then the scales, twice', () => {
    expect(due(4, 5).words).toBe('In the oven: weigh it dry in 10 h');
    expect(due(4, 16).words).toBe('Weigh it dry now');
    expect(due(5, 21).words).toBe('In the oven: weigh it again in 1 h');
    expect(due(6, 24).kind).toBe('done');
  });

  it('is said to be forgotten after a day and a half', () => {
    expect(due(4, 16).isLate).toBe(false);
    expect(due(4, 3 + 12 + 48)).toMatchObject({
      isLate: true,
      words: 'Weigh it dry now: it has waited for 2 days',
    });
  });
});

describe('which way estimates are off', () => {
  it('is said with the number that belongs to it', () => {
    expect([-164, 75.4, 0.2].map(biasWords)).toEqual(['164 too low', '75 too high', 'right']);
  });
});

describe('cuts in a list', () => {
  it('are told apart by what is on their bags, when they were cut and what they weighed', () => {
    const events = cutEvents({ dry: 20 });
    const one = { id: 'a3f20000-0000-4000-8000-000000000000', visitId: 'v', photoId: null, events };
    expect(bagMark(one)).toBe('A3F2');
    expect(cutBegun(one)).toEqual({ at: '2026-11-03T00:00:00.000Z', wetGrams: 200 });
    expect(cutBegun({ ...one, events: [] })).toBeNull();
  });
});

describe('a feed budget on the screen', () => {
  const standing: VisitMean = {
    ...{ mean: 2000, interval: null, standardError: null, spread: null, frames: 5, cuts: 0, paired: 0 },
    ...({ method: 'photos', source: 'modelled' } as const),
    from: ['5 photos by run starter'],
  };
  const hectares: Figure = { value: 10, unit: 'ha', source: 'measured', from: ['as given'] };
  const asked = (change: object) => {
    const plan = { ...typedPlan({}), head: '100', residual: '1000', ...change };
    return plannedBudget(plan, null, standing, hectares);
  };

  it('supposes no animals, and nothing left standing', () => {
    expect(plannedBudget(typedPlan({}), null, standing, hectares)).toBe(
      'Give the number of animals for the days.',
    );
    expect(asked({ head: '0' })).toBe('Give the number of animals for the days.');
    expect(asked({ residual: '' })).toBe('Give what is to be left standing.');
    expect(asked({ leave: 'utilisation' })).toBe('Give the share that is to be eaten.');
  });

  it('says which field holds no number, and counts no days by it', () => {
    expect(asked({ head: 'abc' })).toBe('Animals: “abc” is not a number.');
    expect(asked({ growth: '1o' })).toBe('Growth: “1o” is not a number.');
  });

  it('counts an emptied field as none, not as what stood in it before', () => {
    expect(asked({ growth: '', supplement: '' })).toMatchObject({
      days: { kind: 'days', days: expect.closeTo(10_000 / 95, 6) },
    });
    expect(asked({ growth: '5' })).toMatchObject({
      days: { kind: 'days', days: expect.closeTo(10_000 / 45, 6) },
    });
  });

  it('is kept with the paddock field by field, as numbers, and nothing of it that is none', () => {
    const kept = { ...plannedField('head', '80'), ...plannedField('utilisationPercent', '35') };
    expect(kept).toEqual({ head: 80, utilisation: 0.35 });
    expect(typedPlan(kept)).toMatchObject({ head: '80', utilisationPercent: '35', growth: '' });
    expect(plannedField('growth', ' ')).toEqual({ growth: null });
    expect(plannedField('growth', '1o')).toBeNull();
    expect(plannedField('head', '-3')).toBeNull();
    expect(plannedField('utilisationPercent', '120')).toBeNull();
    expect(plannedField('animal', 'unicorn')).toBeNull();
  });

  it('says no number of days beyond a year', () => {
    expect(daysWords({ kind: 'days', days: 21_533 })).toBe('more than a year');
    expect(daysWords({ kind: 'days', days: 1.9 })).toBe('1 day');
    expect(daysWords({ kind: 'growth-meets-demand' })).toBe('no end in sight');
  });
});

it('one of something is said as one', () => {
  expect([1, 2].map((count) => unplacedNotice(count).words)).toEqual([
    '1 photo not sent yet lost its visit, which was removed on another device. It is kept; say again which paddock it shows.',
    '2 photos not sent yet lost their visit, which was removed on another device. They are kept; say again which paddock they show.',
  ]);
});

describe('the graphics chip', () => {
  beforeAll(() => {
    vi.stubGlobal('addEventListener', () => {});
    vi.stubGlobal('location', { href: 'https://farm.test/' });
  });
  afterAll(() => {
    vi.unstubAllGlobals();
  });

  /** A device's wish, an engine whose test comes to something, and what was asked of it. */
  function device(test: () => Promise<GraphicsTest>, kept?: object) {
    const values = new Map<string, unknown>(kept ? [['graphics', kept]] : []);
    const store = {
      value: (name: string) => values.get(name),
      setValue: async (name: string, value: unknown) => void values.set(name, value),
    };
    const asked: string[] = [];
    const engine = {
      useGraphics: (_: URL, { onProgress }: { onProgress: (progress: object) => void }) => {
        asked.push('test');
        onProgress({ loaded: 1, total: 1 });
        return test();
      },
      leaveGraphics: async () => void asked.push('leave'),
    } as unknown as Engine;
    const graphics = new Graphics(store as never);
    return { graphics, engine, asked, values, words: () => graphicsWords(graphics.state.value) };
  }

  const seconds = { with: 0.412, without: 1.104 };
  const used = async (): Promise<GraphicsTest> => ({ isUsed: true, seconds });

  it('is left alone until it is wished for, and then tested with every engine', async () => {
    const { graphics, engine, asked, words } = device(used);
    await graphics.serve(engine);
    expect([asked, words()]).toEqual([[], null]);
    await graphics.turnOn();
    expect(words()).toBe('Used: 0.41 s a photo with it, 1.10 s without.');
    await graphics.serve(engine);
    expect(asked).toEqual(['test', 'test']);
  });

  it('is switched off with what its test came to, and stays so', async () => {
    const test = async (): Promise<GraphicsTest> => ({ isUsed: false, why: 'it is no faster', seconds });
    const { graphics, engine, asked, values, words } = device(test);
    await graphics.serve(engine);
    await graphics.turnOn();
    expect(words()).toBe('Not used: it is no faster (0.41 s a photo with it, 1.10 s without).');
    await graphics.serve(engine);
    expect(asked).toEqual(['test', 'leave']);
    const again = device(used, values.get('graphics') as object);
    await again.graphics.serve(again.engine);
    expect([again.asked, again.words()]).toEqual([[], words()]);
  });

  it('is switched off where it failed at work, and tried at the next opening where it was taken away before', async () => {
    const { graphics, engine, values, words } = device(used);
    await graphics.serve(engine);
    await graphics.turnOn();
    await graphics.isGone({ why: 'the device took it away', atWork: false });
    expect(words()).toMatch(/^Not used now: the device took it away; it is tried when/);
    expect(values.get('graphics')).toMatchObject({ isWanted: true, isTested: false });
    await graphics.isGone({ why: 'it gave no answer for 30 s', atWork: true });
    expect(words()).toBe('Switched off: it gave no answer for 30 s.');
    expect(values.get('graphics')).toMatchObject({ isWanted: false });
  });

  it('waits where what it needs cannot be fetched, and heeds no test of what was switched off meanwhile', async () => {
    const offline = device(() => Promise.reject(new Error('Failed to fetch')));
    await offline.graphics.serve(offline.engine);
    await offline.graphics.turnOn();
    expect(offline.words()).toBe('Not used now: Failed to fetch.');
    expect(offline.values.get('graphics')).toMatchObject({ isWanted: true, isTested: false });
    let end = (_: GraphicsTest): void => {};
    const slow = device(
      () =>
        new Promise((settle) => {
          end = settle;
        }),
    );
    await slow.graphics.serve(slow.engine);
    const turnedOn = slow.graphics.turnOn();
    await vi.waitFor(() => expect(slow.asked).toEqual(['test']));
    expect(slow.values.get('graphics')).toMatchObject({ isTested: true });
    await slow.graphics.turnOff();
    end({ isUsed: true, seconds });
    await turnedOn;
    expect(slow.words()).toBeNull();
    expect(slow.values.get('graphics')).toEqual({ isWanted: false, isTested: false, said: null });
  });
});
