import { cell, text } from '@observablehq/plot';
import { type EnsembleFacts, lackingStates } from '../runs/scores.ts';
import type { PageSection } from './document.ts';
import { html, type Markup } from './markup.ts';
import { formatNumber, formatR2, formatSigned, NO_VALUE } from './numbers.ts';
import { drawPlot } from './plots/canvas.ts';
import { TARGET_COLUMNS } from './target-columns.ts';

/** How an ensemble was put together: members with their worth, weights, correlations and post-processing. */
export function ensembleSection(document: Document, facts: EnsembleFacts): PageSection {
  const nested = facts.stages.at(-1)?.weighted_r2 ?? Number.NaN;
  const drawing = facts.members.length > 1 ? drawCorrelations(document, facts.correlation) : null;
  return {
    id: 'ensemble',
    heading: 'Ensemble',
    body: html`<p>${nestingSentence(facts, nested)}</p>
<div class="scroll">${memberTable(facts, nested)}</div>
${
  facts.members.length > 1
    ? html`<p class="quiet">“Costs” is how much the ensemble's score falls when the member is left out and everything is fitted again; a
negative cost means that the ensemble is better without it.</p>`
    : null
}
${
  drawing === null
    ? null
    : html`<h3>How alike the members err</h3>
<figure><figcaption class="quiet">Correlation of out-of-fold errors, weighted as the metric weighs targets. Members far from 1 have most to give each other.</figcaption>
${drawing}</figure>`
}
${facts.stages.length > 1 ? stageTable(facts) : null}
${
  facts.lacking_states.length > 0
    ? html`<p class="quiet">No score of States held out one at a time: ${lackingStates(facts.lacking_states)}.</p>`
    : null
}`,
  };
}

function nestingSentence({ nested_by, in_sample }: EnsembleFacts, nested: number): string {
  if (nested_by === null)
    return 'Weights were given, and nothing was fitted to the predictions that are scored.';
  return (
    `All scores on this page are nested: what scores a photo was fitted without the photo's ${nested_by}. ` +
    `Fitted and scored on the same photos the ensemble would show ${formatR2(in_sample)} instead of ` +
    `${formatR2(nested)}, which is optimistic.`
  );
}

function memberTable({ members }: EnsembleFacts, nested: number): Markup {
  const shared = members.every(({ weights }) => weights?.every((weight) => weight === weights[0]) ?? true);
  const heads = shared
    ? html`<th scope="col">weight</th>`
    : html`${TARGET_COLUMNS.map(({ label }) => html`<th scope="col">weight ${label}</th>`)}`;
  const unseen = members.some(({ unseen_states }) => unseen_states !== undefined);
  const rows = members.map(({ run, recipe, weighted_r2, weights, without, unseen_states }, index) => {
    const shown = shared ? [weights?.[0]] : TARGET_COLUMNS.map((_, target) => weights?.[target]);
    const cells = shown.map(
      (weight) => html`<td>${weight === undefined ? NO_VALUE : formatNumber(weight, 3)}</td>`,
    );
    return html`<tr><th scope="row">${index + 1} ${recipe} <span class="quiet">${run}</span></th><td>${formatR2(weighted_r2)}</td>${cells}<td>${without === null ? NO_VALUE : formatR2(without)}</td><td>${without === null ? NO_VALUE : formatSigned(nested - without, 3)}</td>${unseen ? html`<td>${formatR2(unseen_states ?? Number.NaN)}</td>` : null}</tr>`;
  });
  return html`<table class="numbers"><thead><tr><th scope="col">Member</th><th scope="col">weighted R²</th>${heads}<th scope="col">ensemble without it</th><th scope="col">costs</th>${unseen ? html`<th scope="col">in unseen States</th>` : null}</tr></thead><tbody>${rows}</tbody></table>`;
}

/** Correlations as a square of coloured cells, members by their numbers in the table. */
function drawCorrelations(document: Document, correlation: EnsembleFacts['correlation']): Markup {
  const cells = correlation.flatMap((row, i) =>
    row.map((value, j) => ({ row: i + 1, column: j + 1, value })),
  );
  const lightest = Math.min(0.9, ...cells.map(({ value }) => value));
  return drawPlot(document, 'Correlation of the errors of each pair of members', {
    height: Math.min(360, 60 + 34 * correlation.length),
    marginTop: 30,
    marginLeft: 30,
    x: { axis: 'top', label: null, tickSize: 0, type: 'band' },
    y: { label: null, tickSize: 0, type: 'band' },
    color: { type: 'linear', domain: [lightest, 1], range: ['#f4f7f5', '#1f6b45'] },
    marks: [
      cell(cells, { x: 'column', y: 'row', fill: 'value', inset: 0.5 }),
      text(cells, {
        x: 'column',
        y: 'row',
        text: ({ value }: (typeof cells)[number]) => formatNumber(value, 2),
        fill: ({ value }: (typeof cells)[number]) => (value > (1 + lightest) / 2 ? '#ffffff' : '#1c2420'),
      }),
    ],
  });
}

function stageTable({ stages }: EnsembleFacts): Markup {
  const rows = stages.map(({ step, weighted_r2 }, index) => {
    const before = stages[index - 1]?.weighted_r2;
    return html`<tr><th scope="row">${step}</th><td>${formatR2(weighted_r2)}</td><td>${before === undefined ? '' : formatSigned(weighted_r2 - before, 3)}</td></tr>`;
  });
  return html`<h3>Post-processing, step by step</h3>
<div class="scroll"><table class="numbers"><thead><tr><th scope="col">Step</th><th scope="col">weighted R² after it</th><th scope="col">change</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}
