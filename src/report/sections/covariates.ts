import { caseWords } from '../../pasture/covariates.ts';
import { nestedCoverage, USUAL_COVERAGE } from '../../pasture/intervals/index.ts';
import { calibrationRows } from '../../runs/calibration.ts';
import type { CaseResults } from '../../runs/results.ts';
import type { PageSection } from '../page/document.ts';
import { html } from '../page/markup.ts';
import { formatCount, formatGrams, formatR2 } from '../page/numbers.ts';
import { numbersTable } from '../page/tables.ts';
import { learntColumns, mainColumn, TARGET_COLUMNS } from '../rows/target-columns.ts';

/** What a run with covariates scores with each set of them and without, side by side. */
export function covariatesSection(cases: readonly CaseResults[]): PageSection {
  const columns = learntColumns(cases.at(-1)?.rows ?? []);
  const main = mainColumn(columns);
  const target = TARGET_COLUMNS.indexOf(main);
  const hasStates = cases.some(({ leaveOneStateOut }) => leaveOneStateOut);
  const rows = cases.map(({ covariates, rows: photos, outOfFold, withoutThem, leaveOneStateOut }) => {
    const width = nestedCoverage(calibrationRows(photos, target), [USUAL_COVERAGE])?.[0]?.single.width;
    return [
      caseWords(covariates),
      formatCount(outOfFold.imageCount),
      html`<strong>${formatR2(outOfFold.weightedR2)}</strong>`,
      withoutThem ? formatR2(withoutThem.weightedR2) : '',
      ...(hasStates ? [formatR2(leaveOneStateOut?.pooled.weightedR2 ?? Number.NaN)] : []),
      ...columns.map(({ name }) => formatR2(outOfFold.perTarget[name].r2)),
      formatGrams(outOfFold.perTarget[main.name].rmse),
      formatGrams(width),
    ];
  });
  const heads = [
    ...['Answered', 'photos', 'weighted R²', 'same photos without'],
    ...(hasStates ? ['one State out'] : []),
    ...columns.map(({ label }) => `R² ${label}`),
    ...[`RMSE ${main.label}, g`, `90 % interval of ${main.label}, g`],
  ];
  return {
    id: 'covariates',
    heading: 'With what was measured beside the photo, and without',
    body: html`<p>A photo whose reading is known is answered by the model that reads it, any other by the model of photos alone, which
is the very one of a run without covariates. Everything else on this page is of answers ${caseWords(cases.find(({ rows: photos }) => photos.length > 0)?.covariates ?? [])}; the two are never
mixed, and neither are their intervals.</p>
${numbersTable(heads, rows)}`,
  };
}
