import Table from 'cli-table3';
import { countOf } from '../ground/counts.ts';
import { caseWords } from '../pasture/covariates.ts';
import type { Score } from '../pasture/metric.ts';
import { TARGET_NAMES } from '../pasture/targets.ts';
import type { CaseResults } from '../workflows/index.ts';

const PLAIN = {
  chars: {
    top: '',
    'top-mid': '',
    'top-left': '',
    'top-right': '',
    bottom: '',
    'bottom-mid': '',
    'bottom-left': '',
    'bottom-right': '',
    left: '',
    'left-mid': '',
    mid: '',
    'mid-mid': '',
    right: '',
    'right-mid': '',
    middle: '  ',
  },
  style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
};

/** A table of plain text: the first column to the left, numbers to the right. */
export const textTable = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  plainTable(head, rows, 'right');

/** A table of words, all to the left. */
export const wordTable = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  plainTable(head, rows, 'left');

function plainTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  further: 'left' | 'right',
): string {
  const table = new Table({
    ...PLAIN,
    head: [...head],
    colAligns: head.map((_, column) => (column === 0 ? 'left' : further)),
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString().replaceAll(/ +$/gm, '');
}

/**
 * Per-target scores and the weighted R², as `sward score` prints them: of the targets that were measured, with the
 * number of photos where that is not all.
 */
export function scoreTable(score: Score): string {
  const measured = TARGET_NAMES.filter((name) => score.perTarget[name].photos > 0);
  const hasGaps = TARGET_NAMES.some((name) => score.perTarget[name].photos < score.imageCount);
  const rows = measured.map((name) => {
    const { r2, rmse, mae, bias, photos } = score.perTarget[name];
    const fit = [shown(r2, 3), shown(rmse, 2), shown(mae, 2), shown(bias, 2)];
    return [name, ...fit, ...(hasGaps ? [String(photos)] : [])];
  });
  return [
    textTable(['target', 'R²', 'RMSE g', 'MAE g', 'bias g', ...(hasGaps ? ['photos'] : [])], rows),
    `weighted R² ${shown(score.weightedR2, 4)} on ${countOf(score.imageCount, 'photo')}`,
  ].join('\n');
}

/** What a run scores with each set of covariates and without, side by side. */
export function caseTable(cases: readonly CaseResults[]): string {
  const rows = cases.map(({ covariates, rows: { length }, outOfFold, withoutThem, leaveOneStateOut }) => [
    caseWords(covariates),
    String(length),
    shown(outOfFold.weightedR2, 4),
    withoutThem ? shown(withoutThem.weightedR2, 4) : '',
    ...(cases.some((one) => one.leaveOneStateOut)
      ? [shown(leaveOneStateOut?.pooled.weightedR2 ?? Number.NaN, 4)]
      : []),
  ]);
  const heads = ['weighted R²', 'photos', 'out of fold', 'same photos without'];
  return textTable(rows.some((row) => row.length > heads.length) ? [...heads, 'one State out'] : heads, rows);
}

/** A number with fixed decimals; a dash for what is undefined. */
export function shown(value: number, decimals: number): string {
  return Number.isFinite(value) ? value.toFixed(decimals) : '–';
}
