import type { Score } from '../pasture/metric.ts';
import { gramsToKilogramsPerHectare } from '../pasture/units.ts';
import type { PhotoGroup } from './groups.ts';
import { html, type Markup } from './markup.ts';
import { formatGrams, formatNumber, formatR2, formatSigned } from './numbers.ts';
import { TARGET_COLUMNS } from './target-columns.ts';

/** Wraps a table in a box of its own to scroll in, so that a wide one never widens the page. */
function boxed(table: Markup): Markup {
  return html`<div class="scroll">${table}</div>`;
}

/** R², RMSE, MAE and bias of each target over all out-of-fold predictions. */
export function targetTable(score: Score): Markup {
  const rows = TARGET_COLUMNS.map(({ name, label, weight }) => {
    const fit = score.perTarget[name];
    return html`<tr data-target="${name}"><th scope="row">${label} <span class="quiet">${name}</span></th><td>${formatNumber(weight, 1)}</td><td>${formatR2(fit.r2)}</td><td>${formatGrams(fit.rmse)}</td><td>${formatNumber(gramsToKilogramsPerHectare(fit.rmse), 0)}</td><td>${formatGrams(fit.mae)}</td><td>${formatSigned(fit.bias, 1)}</td></tr>`;
  });
  return boxed(
    html`<table class="numbers"><thead><tr><th scope="col">Target</th><th scope="col">weight</th><th scope="col">R²</th><th scope="col">RMSE, g</th><th scope="col">RMSE, kg DM/ha</th><th scope="col">MAE, g</th><th scope="col">bias, g</th></tr></thead><tbody>${rows}</tbody></table>`,
  );
}

/** Scores of the parts a run was judged in (folds, or held-out States), with the pooled score as last row. */
export function partTable(
  heading: string,
  parts: readonly { readonly label: string; readonly score: Score }[],
  pooled: Score,
): Markup {
  const targetHeads = TARGET_COLUMNS.map(({ label }) => html`<th scope="col">R² ${label}</th>`);
  const row = (label: string, score: Score): Markup =>
    html`<tr><th scope="row">${label}</th><td>${formatNumber(score.imageCount, 0)}</td><td><strong>${formatR2(score.weightedR2)}</strong></td>${TARGET_COLUMNS.map(({ name }) => html`<td>${formatR2(score.perTarget[name].r2)}</td>`)}<td>${formatGrams(score.perTarget.Dry_Total_g.rmse)}</td><td>${formatSigned(score.perTarget.Dry_Total_g.bias, 1)}</td></tr>`;
  return boxed(
    html`<table class="numbers"><thead><tr><th scope="col">${heading}</th><th scope="col">photos</th><th scope="col">weighted R²</th>${targetHeads}<th scope="col">RMSE Total, g</th><th scope="col">bias Total, g</th></tr></thead><tbody>${parts.map((part) => row(part.label, part.score))}</tbody><tfoot>${row('pooled', pooled)}</tfoot></table>`,
  );
}

/** Mean error of every target in each group, grams; positive where predictions are too high. */
export function meanErrorTable(
  heading: string,
  groups: readonly PhotoGroup[],
  width: 'wide' | 'compact' = 'wide',
): Markup {
  const rows = groups.map((group) => {
    const cells = TARGET_COLUMNS.map(({ key }) => {
      const sum = group.rows.reduce((running, row) => running + row.predicted[key] - row.observed[key], 0);
      return html`<td>${formatSigned(sum / group.rows.length, 1)}</td>`;
    });
    return html`<tr><th scope="row">${group.label}</th><td>${group.rows.length}</td>${cells}</tr>`;
  });
  return boxed(
    html`<table class="${width === 'compact' ? 'numbers compact' : 'numbers'}"><thead><tr><th scope="col">${heading}</th><th scope="col">photos</th>${TARGET_COLUMNS.map(({ label }) => html`<th scope="col">${label}</th>`)}</tr></thead><tbody>${rows}</tbody></table>`,
  );
}

/** Label → value, for provenance. Long hashes break anywhere. */
export function provenanceTable(entries: Readonly<Record<string, string>>): Markup {
  const rows = Object.entries(entries).map(
    ([label, value]) => html`<tr><th scope="row">${label}</th><td class="value">${value}</td></tr>`,
  );
  return html`<table class="record"><tbody>${rows}</tbody></table>`;
}

/** The recipe as resolved: one row for each top-level setting, nested ones as indented JSON. */
export function settingsTable(settings: unknown): Markup {
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) {
    return html`<pre>${prettyJson(settings)}</pre>`;
  }
  const rows = Object.entries(settings).map(([label, value]: [string, unknown]) => {
    const isNested = typeof value === 'object' && value !== null;
    const shown = isNested ? html`<pre>${prettyJson(value)}</pre>` : html`${plainValue(value)}`;
    return html`<tr><th scope="row">${label}</th><td class="value">${shown}</td></tr>`;
  });
  return html`<table class="record"><tbody>${rows}</tbody></table>`;
}

function plainValue(value: unknown): string {
  return typeof value === 'string' ? value : prettyJson(value);
}

/**
 * JSON with two spaces, lists of plain values on one line; what JSON has no word for (undefined, NaN) in
 * JavaScript's own spelling.
 */
function prettyJson(value: unknown, indent = ''): string {
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => prettyJson(item, deeper));
    const isPlain = value.every((item) => typeof item !== 'object' || item === null);
    if (isPlain) return `[${items.join(', ')}]`;
    return `[\n${items.map((item) => deeper + item).join(',\n')}\n${indent}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(
      ([key, member]: [string, unknown]) => `${deeper}${JSON.stringify(key)}: ${prettyJson(member, deeper)}`,
    );
    return members.length === 0 ? '{}' : `{\n${members.join(',\n')}\n${indent}}`;
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
