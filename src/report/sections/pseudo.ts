import type { PseudoRecord } from '../../runs/pseudo-record.ts';
import type { PageSection } from '../page/document.ts';
import { html } from '../page/markup.ts';
import { formatCount, formatGrams, formatNumber, formatR2, formatSigned, NO_VALUE } from '../page/numbers.ts';
import { columnHeads, numbersTable } from '../page/tables.ts';
import { TARGET_COLUMNS, TARGET_LABELS } from '../rows/target-columns.ts';

/** What each round of self-training was told, and what it changed; null where the run had none. */
export function pseudoSection(record: PseudoRecord | null | undefined): PageSection | null {
  if (!record) return null;
  const { keep, weight, teacher, certainty } = record;
  const rows = record.rounds.map(({ round, weightedR2, labels }) => [
    formatCount(round),
    labels ? `${labels.kept} of ${labels.unlabelled}` : NO_VALUE,
    formatNumber(labels?.largestKeptUncertainty, 2),
    formatNumber(labels?.meanUncertainty, 2),
    ...TARGET_COLUMNS.map(({ key }) => formatGrams(labels?.meanKept[key])),
    ...TARGET_COLUMNS.map(({ key }) => formatSigned(labels?.meanChange?.[key], 1)),
    html`<strong>${formatR2(weightedR2)}</strong>`,
  ]);
  const tall = (head: string) => html`<th rowspan="2" scope="col">${head}</th>`;
  const head = html`<tr>${['Round', 'photos kept', 'largest spread kept', 'mean spread'].map(tall)}
<th colspan="5" scope="colgroup">mean mass of those kept, g</th><th colspan="5" scope="colgroup">mean change of all since the last round, g</th>${tall('weighted R²')}</tr>
<tr>${columnHeads([...TARGET_LABELS, ...TARGET_LABELS])}</tr>`;
  return {
    id: 'pseudo-labels',
    heading: 'Rounds of self-training',
    body: html`<p>Each round the photos without masses were predicted, the most certain ${formatCount(100 * keep)} % kept, and everything trained
again with them counting ${formatNumber(weight, 2)} of a measured photo. Certainty is the spread ${certainty === 'absolute' ? 'in grams' : 'relative to the mass'} between models.
${
  teacher === 'own'
    ? 'What a fold is trained on was labelled by that fold’s own model, so the scores stay honest.'
    : 'Labels are the mean of all folds, whose models have seen the held-out photos: the scores of rounds 1 and later are optimistic.'
} Scores are out of fold, over measured photos only.</p>
${numbersTable(head, rows)}`,
  };
}
