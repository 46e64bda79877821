import type { PseudoRecord } from '../runs/pseudo-record.ts';
import type { PageSection } from './document.ts';
import { html } from './markup.ts';
import { formatGrams, formatNumber, formatR2, formatSigned } from './numbers.ts';
import { TARGET_COLUMNS } from './target-columns.ts';

/** What each round of self-training was told, and what it changed; null where the run had none. */
export function pseudoSection(record: PseudoRecord | null | undefined): PageSection | null {
  if (!record) return null;
  const { keep, weight, teacher, certainty } = record;
  const rows = record.rounds.map(
    ({
      round,
      weightedR2,
      labels,
    }) => html`<tr data-round="${String(round)}"><th scope="row">${formatNumber(round, 0)}</th>
<td>${labels ? `${labels.kept} of ${labels.unlabelled}` : '–'}</td>
<td>${labels ? formatNumber(labels.largestKeptUncertainty, 2) : '–'}</td><td>${labels ? formatNumber(labels.meanUncertainty, 2) : '–'}</td>
${TARGET_COLUMNS.map(({ key }) => html`<td>${labels ? formatGrams(labels.meanKept[key]) : '–'}</td>`)}
${TARGET_COLUMNS.map(({ key }) => html`<td>${labels?.meanChange ? formatSigned(labels.meanChange[key], 1) : '–'}</td>`)}
<td><strong>${formatR2(weightedR2)}</strong></td></tr>`,
  );
  const heads = TARGET_COLUMNS.map(({ label }) => html`<th scope="col">${label}</th>`);
  return {
    id: 'pseudo-labels',
    heading: 'Rounds of self-training',
    body: html`<p>Each round the photos without masses were predicted, the most certain ${formatNumber(100 * keep, 0)} % kept, and everything trained
again with them counting ${formatNumber(weight, 2)} of a measured photo. Certainty is the spread ${certainty === 'absolute' ? 'in grams' : 'relative to the mass'} between models.
${
  teacher === 'own'
    ? 'What a fold learns from was labelled by that fold’s own model, so the scores stay honest.'
    : 'Labels are the mean of all folds, whose models have seen the held-out photos: the scores of rounds 1 and later are optimistic.'
} Scores are out of fold, over measured photos only.</p>
<div class="scroll"><table class="numbers"><thead>
<tr><th rowspan="2" scope="col">Round</th><th rowspan="2" scope="col">photos kept</th><th rowspan="2" scope="col">largest spread kept</th><th rowspan="2" scope="col">mean spread</th>
<th colspan="5" scope="colgroup">mean mass of those kept, g</th><th colspan="5" scope="colgroup">mean change of all since the last round, g</th><th rowspan="2" scope="col">weighted R²</th></tr>
<tr>${heads}${heads}</tr></thead><tbody>${rows}</tbody></table></div>`,
  };
}
