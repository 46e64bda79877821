import { JSDOM } from 'jsdom';
import { writeFileAtomically } from '../ground/files.ts';
import type { RunResults } from '../runs/results.ts';
import { renderAugmentationSheet, sheetPhotos, sheetPlan } from './augmentation-sheet.ts';
import { type PageSection, pageDocument } from './document.ts';
import { ensembleSection } from './ensemble-section.ts';
import { groupByState, isRecorded, type PhotoGroup } from './groups.ts';
import { headline } from './headline.ts';
import { intervalsSection } from './intervals-section.ts';
import { learningBySessionsSection } from './learning-by-sessions-section.ts';
import { html, type Markup } from './markup.ts';
import { formatGrams, formatNumber, formatR2 } from './numbers.ts';
import { drawLearningCurves, foldsWithCurves } from './plots/learning-curves.ts';
import { drawObservedPredicted } from './plots/observed-predicted.ts';
import { drawPartScores } from './plots/part-scores.ts';
import { drawStateLegend, type StateMark, stateMarks } from './plots/state-marks.ts';
import { pseudoSection } from './pseudo-section.ts';
import { residualsBody } from './residuals.ts';
import { partTable, provenanceTable, settingsTable, targetTable } from './tables.ts';
import { TARGET_COLUMNS } from './target-columns.ts';
import { type ThumbnailSource, thumbnailsFromDisk } from './thumbnails.ts';
import { worstPhotos, worstPhotosSection } from './worst-photos.ts';

export interface ReportOptions {
  /** Where thumbnails come from; by default the photos on disk. */
  readonly thumbnails?: ThumbnailSource;
  /** Heading of the page; by default the recipe's name. */
  readonly title?: string;
  /** How many of the worst photos to show, 12 by default. */
  readonly worstCount?: number;
}

const DEFAULT_WORST_COUNT = 12;

/**
 * Renders a run as one HTML document that needs nothing beside itself: plots are inline SVG, photos are data
 * URIs, no script runs. The same results and the same photos give the same bytes.
 *
 * Numbers that are not finite are shown as a dash, photos that cannot be read as a placeholder.
 */
export async function renderReport(results: RunResults, options: ReportOptions = {}): Promise<string> {
  const { document } = new JSDOM('').window;
  const title = options.title ?? `Pasture biomass: ${results.recipeName}`;
  const states = groupByState(results.rows);
  const marks = stateMarks(states);
  const worst = worstPhotos(results.rows, options.worstCount ?? DEFAULT_WORST_COUNT);
  const sections: (PageSection | null)[] = [
    results.ensemble ? ensembleSection(document, results.ensemble) : null,
    { id: 'targets', heading: 'Score of each target', body: targetsBody(results) },
    { id: 'folds', heading: 'Score of each fold', body: foldsBody(document, results) },
    results.rows.length === 0
      ? null
      : {
          id: 'observed-predicted',
          heading: 'Observed against predicted',
          body: observedBody(document, results, states, marks),
        },
    results.rows.length === 0
      ? null
      : {
          id: 'residuals',
          heading: 'Where the errors are',
          body: residualsBody(document, results.rows, states, marks),
        },
    intervalsSection(document, results.rows),
    leaveOneStateOutSection(document, results),
    pseudoSection(results.pseudo),
    worst.length === 0
      ? null
      : {
          id: 'worst-photos',
          heading: 'Worst photos',
          body: await worstPhotosSection(worst, options.thumbnails ?? thumbnailsFromDisk),
        },
    await augmentationSection(results),
    learningCurvesSection(document, results),
    results.bySessions ? learningBySessionsSection(document, results.bySessions) : null,
    results.settings === null || results.settings === undefined
      ? null
      : { id: 'settings', heading: 'Settings', body: settingsTable(results.settings) },
    Object.keys(results.provenance).length === 0
      ? null
      : { id: 'provenance', heading: 'Provenance', body: provenanceTable(results.provenance) },
  ];
  return pageDocument(
    title,
    html`<div id="headline">${headline(results)}</div>`,
    sections.filter((section) => section !== null),
  );
}

/** Renders as {@link renderReport} and writes the file whole or not at all, making its folder if need be. */
export async function writeReport(
  path: string,
  results: RunResults,
  options: ReportOptions = {},
): Promise<void> {
  await writeFileAtomically(path, await renderReport(results, options));
}

function targetsBody(results: RunResults): Markup {
  return html`<p>Over all out-of-fold predictions. Errors are predicted − observed dry mass a quadrat; a positive bias means
predictions are too high on average. GDM (green dry matter) is green + clover, Total is GDM + dead.</p>
${targetTable(results.outOfFold)}`;
}

function foldsBody(document: Document, results: RunResults): Markup {
  const parts = results.perFold.map(({ fold, score }) => ({ label: `fold ${fold}`, score }));
  if (parts.length === 0) return html`<p>The run has no folds.</p>`;
  return plotBesideTable(
    drawPartScores(document, parts, results.outOfFold),
    partTable('Fold', parts, results.outOfFold),
  );
}

function observedBody(
  document: Document,
  results: RunResults,
  states: readonly PhotoGroup[],
  marks: readonly StateMark[],
): Markup {
  const panels = TARGET_COLUMNS.map((target) => {
    const fit = results.outOfFold.perTarget[target.name];
    return html`<figure data-target="${target.name}"><figcaption><strong>${target.label}</strong> <span class="quiet">R² ${formatR2(fit.r2)} · RMSE ${formatGrams(fit.rmse)} g</span></figcaption>
${drawObservedPredicted(document, results.rows, target, marks)}</figure>`;
  });
  const hasStates = isRecorded(states);
  const key = html`<div class="key">${hasStates ? drawStateLegend(document, marks) : null}
<p class="quiet">One mark a photo${hasStates ? ', its shape and colour by State' : null}. On the dashed line prediction and cut agree; below it the
prediction is too low. Each panel has its own scale.</p></div>`;
  return html`<div class="figures">${panels}${key}</div>`;
}

function leaveOneStateOutSection(document: Document, results: RunResults): PageSection | null {
  const held = results.leaveOneStateOut;
  if (held === null) return null;
  const parts = held.perState.map(({ state, score }) => ({ label: state, score }));
  const fitted =
    results.ensemble && results.ensemble.nested_by !== null
      ? ' Weights and post-processing were fitted anew without the State that is scored.'
      : '';
  return {
    id: 'leave-one-state-out',
    heading: 'One State held out at a time',
    body: html`<p>Each State predicted by a model trained on the others only: what to expect in country the model has never seen.${fitted}
A State with little variation of its own can score far below zero though its errors in grams are small.</p>
${plotBesideTable(drawPartScores(document, parts, held.pooled), partTable('State', parts, held.pooled))}`,
  };
}

function learningCurvesSection(document: Document, results: RunResults): PageSection | null {
  const figures = drawLearningCurves(document, results.curves);
  if (figures.length === 0) return null;
  const folds = foldsWithCurves(results.curves).length;
  const dashes = figures.some((figure) => figure.hasTraining)
    ? ' Solid lines are held-out photos, thin dashed lines training photos.'
    : '';
  return {
    id: 'learning-curves',
    heading: 'Learning curves',
    body: html`<p>One line a fold (${formatNumber(folds, 0)}), its number at the end.${dashes}</p>
<div class="figures">${figures.map(
      (figure) => html`<figure class="curve"><figcaption><strong>${figure.title}</strong></figcaption>
${figure.drawing}</figure>`,
    )}</div>`,
  };
}

async function augmentationSection(results: RunResults): Promise<PageSection | null> {
  const plan = sheetPlan(results.settings);
  if (plan === undefined) return null;
  const seed = Number(results.provenance.Seed ?? 0);
  const body = await renderAugmentationSheet(sheetPhotos(results.rows), plan, seed);
  return body && { id: 'augmentation', heading: 'Augmented samples', body };
}

function plotBesideTable(drawing: Markup | null, table: Markup): Markup {
  return drawing === null ? table : html`<div class="beside"><figure>${drawing}</figure>${table}</div>`;
}
