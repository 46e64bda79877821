import { basename } from 'node:path';
import { JSDOM } from 'jsdom';
import { writeFileAtomically } from '../ground/files.ts';
import type { PretrainingManifest } from '../runs/manifest.ts';
import { type PageSection, pageDocument } from './document.ts';
import { tile } from './headline.ts';
import { html, type Markup } from './markup.ts';
import { formatNumber, NO_VALUE } from './numbers.ts';
import { drawLearningCurves } from './plots/learning-curves.ts';
import { provenanceTable, settingsTable } from './tables.ts';

/** Classes listed at most, those with most photos first. */
const MOST_CLASSES = 40;

/**
 * Renders a finished pretraining as one HTML document that needs nothing beside itself. The same manifest gives the
 * same bytes.
 *
 * @param scoreName what the curves call the score
 */
export function renderPretrainReport(manifest: PretrainingManifest, scoreName: string): string {
  const { document } = new JSDOM('').window;
  const { backbone, settings } = manifest;
  const sections: (PageSection | null)[] = [
    curvesSection(document, manifest),
    { id: 'labels', heading: 'What was learnt', body: labelsBody(manifest) },
    { id: 'settings', heading: 'Settings', body: settingsTable(settings) },
    { id: 'provenance', heading: 'Provenance', body: provenanceTable(provenanceOf(manifest)) },
  ];
  return pageDocument(
    `Pretraining: ${basename(backbone.name)}`,
    html`<div id="headline">${headline(manifest, scoreName)}</div>`,
    sections.filter((section) => section !== null),
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
${tile('Loss', formatNumber(kept['validation loss'] ?? kept['training loss'] ?? Number.NaN, 3), 'validation loss' in kept ? 'held-out photos' : 'training photos; none were held out')}
${tile('Photos', formatNumber(photos.count, 0), `${formatNumber(photos.held_out, 0)} of them held out`)}
${tile('Epochs', formatNumber(curves.length, 0), `weights of epoch ${result?.epoch ?? NO_VALUE} kept`)}
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
    `photos; guessing among ${formatNumber(labels.classes.length, 0)} classes for ${formatNumber(1 / labels.classes.length, 3)}.`
  );
}

function curvesSection(document: Document, { curves }: PretrainingManifest): PageSection | null {
  const figures = drawLearningCurves(document, [{ fold: 0, lines: curves }], false);
  if (figures.length === 0) return null;
  const dashes = figures.some((figure) => figure.hasTraining)
    ? html`<p>Solid lines are held-out photos, thin dashed lines training photos, which are augmented.</p>`
    : null;
  return {
    id: 'learning-curves',
    heading: 'Learning curves',
    body: html`${dashes}<div class="figures">${figures.map(
      (figure) => html`<figure class="curve"><figcaption><strong>${figure.title}</strong></figcaption>
${figure.drawing}</figure>`,
    )}</div>`,
  };
}

function labelsBody({ photos: { labels } }: PretrainingManifest): Markup {
  if (labels.kind === 'columns') {
    const rows = labels.columns.map(
      ({ name, photos, held_out, mean, deviation }) =>
        html`<tr><th scope="row">${name}</th><td>${formatNumber(photos, 0)}</td><td>${formatNumber(held_out, 0)}</td><td>${Number(mean.toPrecision(4))}</td><td>${Number(deviation.toPrecision(4))}</td></tr>`,
    );
    const { columns, photos } = labels.left_out;
    return html`<p>Each column in deviations from its mean over the photos learnt from.${
      columns.length > 0 ? ` Not learnt: ${columns.join(', ')}.` : null
    }${photos > 0 ? ` Rows without a number: ${photos}.` : null}</p>
<div class="scroll"><table class="numbers"><thead><tr><th scope="col">Column</th><th scope="col">photos</th><th scope="col">held out</th><th scope="col">mean</th><th scope="col">deviation</th></tr></thead><tbody>${rows}</tbody></table></div>`;
  }
  const sorted = [...labels.classes].sort((a, b) => b.photos - a.photos);
  const rows = sorted
    .slice(0, MOST_CLASSES)
    .map(
      ({ name, photos, held_out }) =>
        html`<tr><th scope="row">${name}</th><td>${formatNumber(photos, 0)}</td><td>${formatNumber(held_out, 0)}</td></tr>`,
    );
  const further = sorted.length - rows.length;
  return html`<div class="scroll"><table class="numbers"><thead><tr><th scope="col">Class</th><th scope="col">photos</th><th scope="col">held out</th></tr></thead><tbody>${rows}</tbody></table></div>
${further > 0 ? html`<p>${formatNumber(further, 0)} more classes with fewer photos are in pretrain.json.</p>` : null}`;
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

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
