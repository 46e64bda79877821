import type { OutOfFoldRow } from '../runs/results.ts';
import { html, type Markup } from './markup.ts';
import { formatGrams, formatNumber, formatSigned } from './numbers.ts';
import { TARGET_COLUMNS } from './target-columns.ts';
import type { Thumbnail, ThumbnailSource } from './thumbnails.ts';

/** A photo with its share of the error that the weighted R² counts. */
export interface WorstPhoto {
  readonly row: OutOfFoldRow;
  /** Σ over the five targets of weight × (predicted − observed)², grams². */
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

/** The section with thumbnails of the worst photos, observed → predicted under each. */
export async function worstPhotosSection(
  photos: readonly WorstPhoto[],
  thumbnails: ThumbnailSource,
): Promise<Markup> {
  const cards: Markup[] = [];
  // One after another: a full-size photo in memory at a time, and decoding is threaded by itself.
  for (const photo of photos) {
    const path = photo.row.photoPath;
    const thumbnail: Thumbnail =
      path === null ? { kind: 'missing', reason: 'no photo, only features' } : await thumbnails(path);
    cards.push(photoCard(photo, thumbnail));
  }
  const share = photos.reduce((sum, photo) => sum + photo.share, 0);
  return html`<p>The ${photos.length} ${photos.length === 1 ? 'photo' : 'photos'} with the largest weighted squared
error, worst first; together ${formatNumber(share * 100, 0)} % of the error of all photos. Dry mass in grams.</p>
<div class="photos">${cards}</div>`;
}

function photoCard(photo: WorstPhoto, thumbnail: Thumbnail): Markup {
  const { row } = photo;
  const place = [row.date, row.state, row.species].filter((part) => part !== null && part !== '').join(' · ');
  const lines = TARGET_COLUMNS.map((target) => {
    const observed = row.observed[target.key];
    const predicted = row.predicted[target.key];
    return html`<tr><th scope="row">${target.label}</th><td>${formatGrams(observed)}</td><td class="arrow">→</td><td>${formatGrams(predicted)}</td><td class="quiet">${formatSigned(predicted - observed, 1)}</td></tr>`;
  });
  return html`<figure class="photo">
${picture(thumbnail, row.imageId)}
<figcaption><strong class="id">${row.imageId}</strong>
<span class="quiet">${place === '' ? 'no date, State or species' : place}<br>fold ${row.fold} · ${formatNumber(photo.share * 100, 1)} % of the error</span></figcaption>
<table class="pairs"><thead><tr><th></th><th>observed</th><th></th><th>predicted</th><th class="quiet">error</th></tr></thead><tbody>${lines}</tbody></table>
</figure>`;
}

function picture(thumbnail: Thumbnail, imageId: string): Markup {
  return thumbnail.kind === 'picture'
    ? html`<img src="${thumbnail.dataUri}" width="${thumbnail.width}" height="${thumbnail.height}" alt="photo ${imageId}">`
    : html`<div class="placeholder">${thumbnail.reason}</div>`;
}

function weightedSquaredError(row: OutOfFoldRow): number {
  return TARGET_COLUMNS.reduce(
    (sum, target) => sum + target.weight * (row.predicted[target.key] - row.observed[target.key]) ** 2,
    0,
  );
}
