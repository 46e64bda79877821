import { sql } from 'kysely';
import {
  answeringRun,
  answerShown,
  bagMark,
  type Cut,
  cutHistory,
  type Estimate,
  type Paddock,
  paddockHectares,
  type VisitMean,
} from '../../farm/index.ts';
import { csvLines } from '../../formats/csv.ts';
import { MASS_NAMES } from '../../pasture/targets.ts';
import { Refusal } from '../answers/refusal.ts';
import { listCuts, viewOf } from '../cuts/stored-cut.ts';
import { photoOf, type StoredPhoto } from '../photos/stored-photo.ts';
import type { RunLibrary } from '../runs/library.ts';
import type { Database } from '../storage/database.ts';
import { stored } from '../storage/stored.ts';
import { visitSummary } from '../summaries/visit-summary.ts';
import { textCell } from './text-cell.ts';

/** Rows read at a time, so that a large farm's export holds nobody up; paddocks and cuts may each be large. */
const TOGETHER = 200;
const LARGE_TOGETHER = 10;

interface PhotoWithEstimates {
  readonly photo: StoredPhoto;
  readonly paddock: string | null;
  readonly estimates: readonly Estimate[];
}

/** All photos with what runs say of them, by id. */
async function* photosWithEstimates(db: Database): AsyncGenerator<PhotoWithEstimates> {
  const names = new Map(
    (
      await db
        .selectFrom('paddocks')
        .select(['id', sql<string>`json_extract(body, '$.name')`.as('name')])
        .execute()
    ).map(({ id, name }) => [id, name] as const),
  );
  for (let after = ''; ; ) {
    const rows = await db
      .selectFrom('photos')
      .leftJoin('visits', 'visits.id', 'photos.visit_id')
      .selectAll('photos')
      .select('visits.paddock_id')
      .where('photos.id', '>', after)
      .orderBy('photos.id')
      .limit(TOGETHER)
      .execute();
    if (rows.length === 0) return;
    const said = await db
      .selectFrom('estimates')
      .select(['photo_id', 'body'])
      .where(
        'photo_id',
        'in',
        rows.map(({ id }) => id),
      )
      .where('body', 'is not', null)
      .orderBy('estimated_at')
      .execute();
    for (const row of rows) {
      const estimates = said.filter(({ photo_id }) => photo_id === row.id);
      yield {
        photo: photoOf(row),
        paddock: row.paddock_id === null ? null : (names.get(row.paddock_id) ?? null),
        estimates: estimates.map(({ body }) => stored<Estimate>(body ?? '')),
      };
    }
    after = rows.at(-1)?.id ?? '';
  }
}

/** What a visit's photos were answered with. */
async function answersOfVisit(db: Database, visitId: string): Promise<Estimate[]> {
  const rows = await db
    .selectFrom('estimates')
    .innerJoin('photos', 'photos.id', 'estimates.photo_id')
    .select('estimates.body')
    .where('photos.visit_id', '=', visitId)
    .where('estimates.body', 'is not', null)
    .execute();
  return rows.map(({ body }) => stored<Estimate>(body ?? ''));
}

const cell = (value: string | number | null | undefined): string | number =>
  typeof value === 'string' ? textCell(value) : (value ?? '');

/** Photos and estimates as CSV: a line an estimate, and one of each photo that has none. */
export async function* photosCsv(db: Database): AsyncGenerator<string> {
  const photoColumns =
    'photo_id paddock visit_id captured_at longitude latitude accuracy_m frame_m2 height_cm height_method sha256';
  const estimateColumns = 'run run_hash estimated_at coverage out_of_domain source';
  const masses = MASS_NAMES.flatMap((mass) => [
    `${mass}_g`,
    `${mass}_low_g`,
    `${mass}_high_g`,
    `${mass}_kg_dm_per_ha`,
  ]);
  yield BYTE_ORDER_MARK + csvLines([[...photoColumns.split(' '), ...estimateColumns.split(' '), ...masses]]);
  for await (const { photo, paddock, estimates } of photosWithEstimates(db)) {
    const { position, height } = photo;
    const own = [
      ...[photo.id, cell(paddock), cell(photo.visitId), photo.capturedAt],
      ...[cell(position?.longitude), cell(position?.latitude), cell(position?.accuracyMetres)],
      ...[photo.frameAreaSquareMetres, cell(height?.centimetres), cell(height?.method), photo.sha256],
    ];
    const lines = estimates.map(
      ({ run, estimatedAt, interval, outOfDomain, source, masses: grams, kgDmPerHa }) => [
        ...own,
        ...[
          cell(run.name),
          run.hash,
          estimatedAt,
          cell(interval?.coverage),
          String(outOfDomain.flagged),
          source,
        ],
        ...MASS_NAMES.flatMap((mass) => [
          rounded(grams[mass], GRAM_PLACES),
          rounded(interval?.[mass]?.[0], GRAM_PLACES),
          rounded(interval?.[mass]?.[1], GRAM_PLACES),
          rounded(kgDmPerHa[mass], 1),
        ]),
      ],
    );
    yield csvLines(lines.length > 0 ? lines : [own]);
  }
}

/** A spreadsheet takes a table for one of another character set where this mark does not begin it. */
const BYTE_ORDER_MARK = '\uFEFF';

/** Places of grams on a frame: what scales show. */
const GRAM_PLACES = 2;

/** Whole kilograms: more digits would say more than is known. */
const kilograms = (value: number | null | undefined): string | number =>
  value === null || value === undefined ? '' : Math.round(value);
/** A number of so many places at most. */
const rounded = (value: number | null | undefined, places: number): string | number =>
  value === null || value === undefined ? '' : Number(value.toFixed(places));

/** Visits as CSV: a line each, with the means that screens show, corrected by cuts and calibration where they are. */
export async function* visitsCsv(db: Database, runs: RunLibrary): AsyncGenerator<string> {
  const columns =
    'visit_id paddock started_at photos photos_waiting cuts run corrected_by cutting_height_cm hectares hectares_from';
  const masses = MASS_NAMES.flatMap((mass) => [
    `${mass}_kg_dm_per_ha`,
    `${mass}_low_kg_dm_per_ha`,
    `${mass}_high_kg_dm_per_ha`,
  ]);
  const ends = 'coverage source paddock_total_kg_dm paddock_total_low_kg_dm paddock_total_high_kg_dm note';
  yield BYTE_ORDER_MARK + csvLines([[...columns.split(' '), ...masses, ...ends.split(' ')]]);
  const ids = await db.selectFrom('visits').select('id').orderBy('started_at').orderBy('id').execute();
  for (const { id } of ids) {
    const summary = await visitSummary(db, runs, id).catch((error: unknown) => {
      // It was removed while others were written.
      if (error instanceof Refusal && error.status === 404) return null;
      throw error;
    });
    if (!summary) continue;
    const { visit, paddock, run, photos, pending, kgDmPerHa, calibration, ...found } = summary;
    const { total } = kgDmPerHa;
    const correctedBy = (total?.cuts ?? 0) > 0 ? 'own cuts' : calibration ? 'calibration' : '';
    yield csvLines([
      [
        ...[id, paddock.name, visit.startedAt, photos, pending, total?.cuts ?? 0, cell(run?.name)],
        ...[correctedBy, cell(found.cuttingHeightCentimetres)],
        ...[rounded(found.hectares?.value, 4), found.hectares ? sizeFrom(paddock) : ''],
        ...MASS_NAMES.flatMap((mass) => {
          const mean = kgDmPerHa[mass];
          return [kilograms(mean?.mean), kilograms(mean?.interval?.low), kilograms(mean?.interval?.high)];
        }),
        ...[cell(total?.interval?.coverage), total ? sourceWords(total) : ''],
        ...[found.paddockTotal?.value, found.paddockTotal?.low, found.paddockTotal?.high].map(kilograms),
        visit.note,
      ],
    ]);
  }
}

/** What a visit's mean is: measured of cuts, modelled of photos, and of both it names both. */
const sourceWords = ({ method, source }: Pick<VisitMean, 'method' | 'source'>): string =>
  method === 'photos-and-cuts' || method === 'regression' ? `${source} with cuts` : source;

/** Whose word a paddock's size is. */
const sizeFrom = ({ hectares }: Paddock): 'given' | 'boundary' => (hectares === null ? 'boundary' : 'given');

/** Cuts as CSV: a line each, with what it weighs as far as it is, and what it is found by: paddock, time and bag. */
export async function* cutsCsv(db: Database): AsyncGenerator<string> {
  const columns =
    'cut_id visit_id photo_id paddock placed_at bag stage settled frame_m2 cutting_height_cm dry_matter total_g total_kg_dm_per_ha green_g dead_g clover_g source';
  yield BYTE_ORDER_MARK + csvLines([columns.split(' ')]);
  const places = await db
    .selectFrom('visits')
    .innerJoin('paddocks', 'paddocks.id', 'visits.paddock_id')
    .select(['visits.id', sql<string>`json_extract(paddocks.body, '$.name')`.as('name')])
    .execute();
  const paddockOf = new Map(places.map(({ id, name }) => [id, name]));
  for (let after = ''; ; ) {
    const cuts: Cut[] = await listCuts(db, (rows) => rows.where('id', '>', after).limit(LARGE_TOGETHER));
    if (cuts.length === 0) return;
    yield csvLines(
      cuts.map((cut) => {
        const { id, visitId, photoId, stage, result } = viewOf(cut);
        return [
          ...[id, visitId, cell(photoId), cell(paddockOf.get(visitId))],
          ...[cell(cutHistory(cut.events).state.frame?.at), bagMark(cut), stage],
          ...[String(result?.settled ?? false), cell(result?.frameAreaSquareMetres)],
          ...[cell(result?.cuttingHeightCentimetres), rounded(result?.dryMatter, 4)],
          ...[rounded(result?.dryGrams, 2), kilograms(result?.kgDmPerHa)],
          ...(['green', 'dead', 'clover'] as const).map((mass) => rounded(result?.masses?.[mass], 2)),
          cell(result?.source),
        ];
      }),
    );
    after = cuts.at(-1)?.id ?? '';
  }
}

/** Paddocks and photos as GeoJSON (RFC 7946); a photo has the estimate that screens show. */
export async function* farmGeoJson(db: Database, runs: RunLibrary): AsyncGenerator<string> {
  yield '{"type":"FeatureCollection","features":[';
  let between = '';
  const feature = (geometry: unknown, properties: unknown): string => {
    const text = `${between}\n${JSON.stringify({ type: 'Feature', geometry, properties })}`;
    between = ',';
    return text;
  };
  for (let after = ''; ; ) {
    const rows = await db
      .selectFrom('paddocks')
      .select(['id', 'body'])
      .where('id', '>', after)
      .orderBy('id')
      .limit(LARGE_TOGETHER)
      .execute();
    if (rows.length === 0) break;
    for (const { body } of rows) {
      const paddock = stored<Paddock>(body);
      const { boundary, ...properties } = paddock;
      const size = paddockHectares(paddock);
      yield feature(boundary, {
        kind: 'paddock',
        ...properties,
        hectares: size?.value ?? null,
        hectaresFrom: size && sizeFrom(paddock),
      });
    }
    after = rows.at(-1)?.id ?? '';
  }
  const { hash } = await runs.chosen();
  const runOfVisit = new Map<string, string | null>();
  const runAnswering = async (visitId: string): Promise<string | null> => {
    const known = runOfVisit.get(visitId);
    if (known !== undefined) return known;
    const found = answeringRun(await answersOfVisit(db, visitId), hash);
    runOfVisit.set(visitId, found);
    return found;
  };
  for await (const { photo, paddock, estimates } of photosWithEstimates(db)) {
    const { position, file: _, ...properties } = photo;
    const runHash =
      photo.visitId === null ? answeringRun(estimates, hash) : await runAnswering(photo.visitId);
    const point = position && { type: 'Point', coordinates: [position.longitude, position.latitude] };
    const { masses, kgDmPerHa, run, source, outOfDomain } = answerShown(estimates, runHash) ?? {};
    yield feature(point, {
      kind: 'photo',
      ...properties,
      paddock,
      accuracyMetres: position?.accuracyMetres ?? null,
      estimate: masses ? { masses, kgDmPerHa, run, source, outOfDomain } : null,
    });
  }
  yield '\n]}\n';
}
