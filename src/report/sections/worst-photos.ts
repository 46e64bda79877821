import type { OutOfFoldRow } from '../../runs/results.ts';
import type { PageSection } from '../page/document.ts';
import { html, type Markup } from '../page/markup.ts';
import { formatCount, formatGrams, formatNumber, formatSigned } from '../page/numbers.ts';
import { learntColumns, TARGET_COLUMNS, type TargetColumn } from '../rows/target-columns.ts';
import type { Thumbnail, ThumbnailSource } from './thumbnails.ts';

/** A photo with its share of the error that the weighted R² counts. */
interface WorstPhoto {
  readonly row: OutOfFoldRow;
  /** Σ over the targets that were measured of weight × (predicted − observed)², grams². */
  readonly weightedSquaredError: number;
  /** Part of all photos' weighted squared error, 0 to 1. */
  readonly share: number;
}

/** The `count` photos that cost the weighted R² most, the worst first; ties in order of id. */
export function worstPhotos(rows: readonly OutOfFoldRow[], count: number): WorstPhoto[] {
  const scored = rows
    .map((row) => ({ row, weightedSquaredError: weightedSquaredError(row) }))
    .filter((entry) => Number.isFinite(entry.weightedSquaredError));
  const sum = scored.reduce((running, entry) => running + entry.weightedSquaredError, 0);
  return scored
    .sort(
      (a, b) => b.weightedSquaredError - a.weightedSquaredError || (a.row.imageId < b.row.imageId ? -1 : 1),
    )
    .slice(0, count)
    .map((entry) => ({ ...entry, share: sum > 0 ? entry.weightedSquaredError / sum : 0 }));
}

/** Thumbnails of the worst photos, observed → predicted under each; null where none is to be shown. */
export async function worstPhotosSection(
  rows: readonly OutOfFoldRow[],
  count: number,
  thumbnails: ThumbnailSource,
): Promise<PageSection | null> {
  const photos = worstPhotos(rows, count);
  if (photos.length === 0) return null;
  const columns = learntColumns(rows);
  const cards: Markup[] = [];
  const isOfFeatures = photos.every(({ row }) => row.photoPath === null);
  const none: Thumbnail | null = isOfFeatures ? null : { kind: 'missing', reason: 'no photo, only features' };
  // One after another: a full-size photo in memory at a time, and decoding is threaded by itself.
  for (const photo of photos) {
    const path = photo.row.photoPath;
    cards.push(photoCard(photo, columns, path === null ? none : await thumbnails(path)));
  }
  const share = photos.reduce((sum, photo) => sum + photo.share, 0);
  return {
    id: 'worst-photos',
    heading: 'Worst photos',
    body: html`<p>The ${photos.length} ${photos.length === 1 ? 'photo' : 'photos'} with the largest weighted squared
error, worst first; together ${formatCount(share * 100)} % of the error of all photos. Dry mass in grams.${isOfFeatures ? ' The run knows features alone, so there are no pictures.' : ''}</p>
<div class="photos">${cards}</div>`,
  };
}

/** @param thumbnail null: there is no place for one either */
function photoCard(photo: WorstPhoto, columns: readonly TargetColumn[], thumbnail: Thumbnail | null): Markup {
  const { row } = photo;
  const place = [row.date, row.state, row.species].filter((part) => part !== null && part !== '').join(' · ');
  const lines = columns.map(({ key, label }) => {
    const [observed, predicted] = [row.observed[key], row.predicted[key]];
    return html`<tr><th scope="row">${label}</th><td>${formatGrams(observed)}</td><td class="arrow">→</td><td>${formatGrams(predicted)}</td><td class="quiet">${formatSigned(predicted - observed, 1)}</td></tr>`;
  });
  const picture =
    thumbnail?.kind === 'picture'
      ? html`<img src="${thumbnail.dataUri}" width="${thumbnail.width}" height="${thumbnail.height}" alt="photo ${row.imageId}">`
      : thumbnail
        ? html`<div class="placeholder">${thumbnail.reason}</div>`
        : '';
  return html`<figure class="photo">
${picture}
<figcaption><strong class="id">${row.imageId}</strong>
<span class="quiet">${place === '' ? 'no date, State or species' : place}<br>fold ${row.fold} · ${formatNumber(photo.share * 100, 1)} % of the error</span></figcaption>
<table class="pairs"><thead><tr><th></th><th>observed</th><th></th><th>predicted</th><th class="quiet">error</th></tr></thead><tbody>${lines}</tbody></table>
</figure>`;
}

function weightedSquaredError(row: OutOfFoldRow): number {
  return TARGET_COLUMNS.reduce(
    (sum, { key, weight }) =>
      Number.isNaN(row.observed[key]) ? sum : sum + weight * (row.predicted[key] - row.observed[key]) ** 2,
    0,
  );
}
