import { cell, text } from '@observablehq/plot';
import { betterMember, type EnsembleFacts, lackingStates } from '../../runs/scores.ts';
import type { PageSection } from '../page/document.ts';
import { html, type Markup } from '../page/markup.ts';
import { formatNumber, formatR2, formatSigned } from '../page/numbers.ts';
import { numbersTable } from '../page/tables.ts';
import { drawPlot } from '../plots/canvas.ts';
import { TARGET_LABELS } from '../rows/target-columns.ts';

/** How an ensemble was put together: members with their worth, weights, correlations and post-processing. */
export function ensembleSection(facts: EnsembleFacts): PageSection {
  const nested = facts.stages.at(-1)?.weighted_r2 ?? Number.NaN;
  const beside = html`<p class="quiet">“Costs” is how much the ensemble's score falls when the member is left out and everything is fitted again; a
negative cost means that the ensemble is better without it.</p>
<h3>How alike the members err</h3>
<figure><figcaption class="quiet">Correlation of out-of-fold errors, weighted as the metric weighs targets. Members far from 1 have most to give each other.</figcaption>
${drawCorrelations(facts.correlation)}</figure>`;
  const lacking = html`<p class="quiet">No score of States held out one at a time: ${lackingStates(facts.lacking_states)}.</p>`;
  return {
    id: 'ensemble',
    heading: 'Ensemble',
    body: html`<p>${nestingSentence(facts, nested)}${betterSentence(facts)}</p>
${memberTable(facts, nested)}
${facts.members.length > 1 ? beside : null}
${facts.stages.length > 1 ? stageTable(facts) : null}
${facts.lacking_states.length > 0 ? lacking : null}`,
  };
}

function betterSentence(facts: EnsembleFacts): string {
  const better = betterMember(facts);
  return better
    ? ` It scores below its member ${better.run} alone (${formatR2(better.weighted_r2)}): use that run instead.`
    : '';
}

function nestingSentence({ nested_by, in_sample, alone }: EnsembleFacts, nested: number): string {
  if (alone) {
    return (
      `Nested, fitted weights would score ${formatR2(alone.fitted_weighted_r2)}, which is no better than ${alone.run} ` +
      `alone; so the ensemble is that run (${formatR2(nested)}). It was chosen by the scores on this page, which flatters it a little.`
    );
  }
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
  const weightHeads = shared ? ['weight'] : TARGET_LABELS.map((label) => `weight ${label}`);
  const unseen = members.some(({ unseen_states }) => unseen_states !== undefined);
  const rows = members.map(({ run, recipe, weighted_r2, weights, without, unseen_states }, index) => [
    html`${index + 1} ${recipe} <span class="quiet">${run}</span>`,
    formatR2(weighted_r2),
    ...weightHeads.map((_, target) => formatNumber(weights?.[target], 3)),
    formatR2(without),
    formatSigned(nested - (without ?? Number.NaN), 3),
    ...(unseen ? [formatR2(unseen_states)] : []),
  ]);
  const heads = ['Member', 'weighted R²', ...weightHeads, 'ensemble without it', 'costs'];
  return numbersTable(unseen ? [...heads, 'in unseen States'] : heads, rows);
}

/** Correlations as a square of coloured cells, members by their numbers in the table. */
function drawCorrelations(correlation: EnsembleFacts['correlation']): Markup {
  const values = correlation.flat();
  const lightest = Math.min(0.9, ...values);
  const cells = correlation.flatMap((row, i) =>
    row.map((value, j) => ({
      row: i + 1,
      column: j + 1,
      value,
      ink: value > (1 + lightest) / 2 ? '#ffffff' : '#1c2420',
    })),
  );
  return drawPlot('Correlation of the errors of each pair of members', {
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
        text: ({ value }) => formatNumber(value, 2),
        fill: { value: 'ink', scale: null },
      }),
    ],
  });
}

function stageTable({ stages }: EnsembleFacts): Markup {
  const rows = stages.map(({ step, weighted_r2 }, index) => {
    const before = stages[index - 1]?.weighted_r2;
    return [step, formatR2(weighted_r2), before === undefined ? '' : formatSigned(weighted_r2 - before, 3)];
  });
  return html`<h3>Post-processing, step by step</h3>
${numbersTable(['Step', 'weighted R² after it', 'change'], rows)}`;
}
