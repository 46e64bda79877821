import { writeFileAtomically } from '../ground/files.ts';
import { headlineRows } from '../runs/covariate-cases.ts';
import type { RunResults } from '../runs/results.ts';
import { pageDocument } from './page/document.ts';
import { html } from './page/markup.ts';
import { recordTable, settingsTable } from './page/tables.ts';
import { stateMarks } from './plots/state-marks.ts';
import { groupByState } from './rows/groups.ts';
import { augmentationSection } from './sections/augmentation.ts';
import { covariatesSection } from './sections/covariates.ts';
import { ensembleSection } from './sections/ensemble.ts';
import { explainSection } from './sections/explain.ts';
import { headline } from './sections/headline.ts';
import { intervalsSection } from './sections/intervals.ts';
import { learningBySessionsSection } from './sections/learning-by-sessions.ts';
import { learningCurvesSection } from './sections/learning-curves.ts';
import { observedSection } from './sections/observed-predicted.ts';
import { pseudoSection } from './sections/pseudo.ts';
import { residualsSection } from './sections/residuals.ts';
import { foldsSection, statesSection, targetsSection } from './sections/scores.ts';
import { type ThumbnailSource, thumbnailsFromDisk } from './sections/thumbnails.ts';
import { worstPhotosSection } from './sections/worst-photos.ts';

export interface ReportOptions {
  /** Where thumbnails come from; by default the photos on disk. */
  readonly thumbnails?: ThumbnailSource;
  /** Heading of the page; by default the recipe's name. */
  readonly title?: string;
  /** How many of the worst photos to show, 12 by default. */
  readonly worstCount?: number;
}

/**
 * Renders a run as one HTML document that needs nothing beside itself: plots are inline SVG, photos are data
 * URIs, no script runs. The same results and the same photos give the same bytes.
 *
 * Numbers that are not finite are shown as a dash, photos that cannot be read as a placeholder.
 */
export async function renderReport(all: RunResults, options: ReportOptions = {}): Promise<string> {
  // Answers with covariates and without are not to be taken together.
  const results = { ...all, rows: headlineRows(all) };
  const { thumbnails = thumbnailsFromDisk, worstCount = 12 } = options;
  const { rows, settings, provenance } = results;
  const states = groupByState(rows);
  const marks = stateMarks(states);
  // Photos are decoded on other threads, the first of them while plots are drawn.
  const pictures = Promise.all([
    worstPhotosSection(rows, worstCount, thumbnails),
    augmentationSection(results),
  ]);
  // A failure is met when its turn comes; until then it must not count as unhandled.
  pictures.catch(() => {});
  const sections = [
    results.ensemble ? ensembleSection(results.ensemble) : null,
    results.cases ? covariatesSection(results.cases) : null,
    targetsSection(results),
    foldsSection(results),
    observedSection(results, states, marks),
    residualsSection(rows, states, marks),
    intervalsSection(rows),
    statesSection(results),
    results.columnEffects ? explainSection(results.columnEffects) : null,
    pseudoSection(results.pseudo),
    ...(await pictures),
    learningCurvesSection(results.curves),
    results.bySessions ? learningBySessionsSection(results.bySessions) : null,
    settings ? { id: 'settings', heading: 'Settings', body: settingsTable(settings) } : null,
    Object.keys(provenance).length > 0
      ? { id: 'provenance', heading: 'Provenance', body: recordTable(provenance) }
      : null,
  ];
  return pageDocument(
    options.title ?? `Pasture biomass: ${results.recipeName}`,
    html`<div id="headline">${headline(results)}</div>`,
    sections,
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
