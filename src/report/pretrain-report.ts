import { basename } from 'node:path';
import { capital } from '../ground/capital.ts';
import { writeFileAtomically } from '../ground/files.ts';
import type { PretrainingManifest } from '../runs/manifest.ts';
import { pageDocument } from './page/document.ts';
import { html, type Markup } from './page/markup.ts';
import { formatCount, formatNumber, NO_VALUE } from './page/numbers.ts';
import { numbersTable, recordTable, settingsTable } from './page/tables.ts';
import { tile } from './sections/headline.ts';
import { learningCurvesSection } from './sections/learning-curves.ts';

/** Classes listed at most, those with most photos first. */
const MOST_CLASSES = 40;

/**
 * Renders a finished pretraining as one HTML document that needs nothing beside itself. The same manifest gives the
 * same bytes.
 *
 * @param scoreName what the curves call the score
 */
export function renderPretrainReport(manifest: PretrainingManifest, scoreName: string): string {
  const { backbone, settings, curves } = manifest;
  return pageDocument(
    `Pretraining: ${basename(backbone.name)}`,
    html`<div id="headline">${headline(manifest, scoreName)}</div>`,
    [
      learningCurvesSection([{ fold: 0, lines: curves }], false),
      { id: 'labels', heading: 'What it was trained on', body: labelsBody(manifest) },
      { id: 'settings', heading: 'Settings', body: settingsTable(settings) },
      { id: 'provenance', heading: 'Provenance', body: recordTable(provenanceOf(manifest)) },
    ],
  );
}

/** Renders as {@link renderPretrainReport} and writes the file whole or not at all. */
export async function writePretrainReport(
  path: string,
  manifest: PretrainingManifest,
  scoreName: string,
): Promise<void> {
  await writeFileAtomically(path, renderPretrainReport(manifest, scoreName));
}

function headline(manifest: PretrainingManifest, scoreName: string): Markup {
  const { photos, curves, result } = manifest;
  const kept = curves.find((line) => line.epoch === result?.epoch) ?? {};
  const scores = Object.entries(kept).filter(([name]) => name === scoreName || /top-5/.test(name));
  return html`<div class="tiles">
${scores.map(([name, value]) => tile(capital(name.replace('validation ', '')), formatNumber(value, 3), scoreNote(manifest)))}
${tile('Loss', formatNumber(kept['validation loss'] ?? kept['training loss'], 3), 'validation loss' in kept ? 'held-out photos' : 'training photos; none were held out')}
${tile('Photos', formatCount(photos.count), `${formatCount(photos.held_out)} of them held out`)}
${tile('Epochs', formatCount(curves.length), `weights of epoch ${result?.epoch ?? NO_VALUE} kept`)}
</div>
<p>${baseline(manifest)}</p>`;
}

function scoreNote({ settings }: PretrainingManifest): string {
  const chosen = JSON.stringify(settings).includes('"choice":"best"');
  return chosen ? 'held-out photos, which chose the epoch' : 'held-out photos';
}

/** What would score without looking at photos: the bar to clear. */
function baseline({ photos: { labels, held_out } }: PretrainingManifest): string {
  if (held_out === 0) return 'No photos were held out, so that nothing says how good the weights are.';
  if (labels.kind === 'columns') return 'Answering every photo with the mean of its column would score R² 0.';
  const most = Math.max(...labels.classes.map((one) => one.held_out));
  return (
    `Naming the commonest class every time would be right for ${formatNumber(most / held_out, 3)} of the held-out ` +
    `photos; guessing among ${formatCount(labels.classes.length)} classes for ${formatNumber(1 / labels.classes.length, 3)}.`
  );
}

function labelsBody({ photos: { labels } }: PretrainingManifest): Markup {
  if (labels.kind === 'columns') {
    const rows = labels.columns.map(({ name, photos, held_out, mean, deviation }) => [
      name,
      formatCount(photos),
      formatCount(held_out),
      Number(mean.toPrecision(4)),
      Number(deviation.toPrecision(4)),
    ]);
    const { columns, photos } = labels.left_out;
    return html`<p>Each column in deviations from its mean over the training photos.${
      columns.length > 0 ? ` Left out: ${columns.join(', ')}.` : null
    }${photos > 0 ? ` Rows without a number: ${photos}.` : null}</p>
${numbersTable(['Column', 'photos', 'held out', 'mean', 'deviation'], rows)}`;
  }
  const rows = labels.classes
    .toSorted((a, b) => b.photos - a.photos)
    .slice(0, MOST_CLASSES)
    .map(({ name, photos, held_out }) => [name, formatCount(photos), formatCount(held_out)]);
  const further = labels.classes.length - rows.length;
  return html`${numbersTable(['Class', 'photos', 'held out'], rows)}
${further > 0 ? html`<p>${formatCount(further)} more classes with fewer photos are in pretrain.json.</p>` : null}`;
}

function provenanceOf(manifest: PretrainingManifest): Record<string, string> {
  const { sward, seed, backbone, photos, result, fingerprint } = manifest;
  const { origin } = backbone;
  return {
    sward,
    Seed: String(seed),
    Photos: photos.source,
    'Photos (SHA-256 of names, labels and files)': photos.fingerprint,
    'Trained from': backbone.source,
    'Trained from (SHA-256)': backbone.sha256,
    'Published weights': origin.source,
    'Licence of the published weights': origin.licence ?? 'unknown; ask where they came from',
    ...(result && { Weights: `${result.file}, ${result.bytes} bytes`, 'Weights (SHA-256)': result.sha256 }),
    'Fingerprint (SHA-256)': fingerprint,
  };
}
