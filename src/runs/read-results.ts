import { caseFile, headlineRows } from './covariate-cases.ts';
import { covariateWords } from './covariates.ts';
import { readLearningBySessions } from './learning-by-sessions.ts';
import { type EnsembleManifest, frameAreaOf, requireData, type TrainedManifest } from './manifest.ts';
import { OUT_OF_FOLD, readOutOfFold } from './out-of-fold.ts';
import { readPseudoRecord } from './pseudo-record.ts';
import type { CaseResults, RunResults } from './results.ts';
import { readMetrics } from './run-folder.ts';
import { caseResults } from './scored-cases.ts';
import { readScores, scoreFolds, scoreRows } from './scores.ts';

/**
 * Everything a report shows of a trained run, from its folder, which need not be complete yet.
 *
 * @throws InputError when one of its files is missing or damaged
 */
export async function trainedResults(run: string, manifest: TrainedManifest): Promise<RunResults> {
  const source = requireData(run, manifest);
  const rows = await readOutOfFold(run, source);
  const scores = await readScores(run);
  const cases = await readCases(run, source, scores);
  const headline = headlineRows({ rows, cases });
  const folds = scoreFolds(headline);
  return {
    recipeName: manifest.recipe.name,
    outOfFold: scoreRows(headline),
    perFold: folds,
    leaveOneStateOut: scores.leave_one_state_out,
    rows,
    cases,
    curves: await Promise.all(folds.map(async ({ fold }) => ({ fold, lines: await readMetrics(run, fold) }))),
    pseudo: await readPseudoRecord(run),
    bySessions: await readLearningBySessions(run),
    areaSquareMetres: frameAreaOf(manifest),
    settings: manifest.recipe,
    provenance: provenanceOf(manifest),
  };
}

/** What a run with covariates says in each case; null of others. */
async function readCases(
  run: string,
  source: Parameters<typeof readOutOfFold>[1],
  { covariates }: Awaited<ReturnType<typeof readScores>>,
): Promise<CaseResults[] | null> {
  if (!covariates) return null;
  const all = await Promise.all(
    covariates.map(async ({ covariates: set, leave_one_state_out }) => ({
      covariates: set,
      rows: await readOutOfFold(run, source, caseFile(OUT_OF_FOLD, set)),
      leaveOneStateOut: leave_one_state_out,
    })),
  );
  return caseResults(all);
}

/** The same of an ensemble. @throws as {@link trainedResults} */
export async function ensembleResults(
  run: string,
  manifest: EnsembleManifest,
  name: string,
): Promise<RunResults> {
  const { source } = manifest.data;
  const rows = await readOutOfFold(run, source);
  const scores = await readScores(run);
  const { leave_one_state_out, ensemble } = scores;
  const cases = await readCases(run, source, scores);
  const headline = headlineRows({ rows, cases });
  return {
    recipeName: name,
    outOfFold: scoreRows(headline),
    perFold: scoreFolds(headline),
    leaveOneStateOut: leave_one_state_out,
    rows,
    cases,
    curves: [],
    ensemble: ensemble ?? null,
    areaSquareMetres: frameAreaOf(manifest),
    settings: { method: manifest.method, perTarget: manifest.perTarget, post: manifest.post },
    provenance: {
      sward: manifest.sward,
      Seed: String(manifest.seed),
      Photos: String(manifest.data.images),
      ...Object.fromEntries(
        manifest.members.map(({ run: member, fingerprint }, index) => [
          `Member ${index + 1}`,
          `${member} (fingerprint ${fingerprint})`,
        ]),
      ),
      'Run fingerprint (SHA-256)': manifest.fingerprint,
    },
  };
}

function provenanceOf({
  sward,
  seed,
  folds,
  data,
  imported,
  fingerprint,
}: TrainedManifest): Record<string, string> {
  const { source, sets } = data;
  return {
    sward,
    Seed: String(seed),
    Folds: `${folds.count}, ${folds.origin}; grouped by ${folds.grouping}, stratified by ${folds.stratification}`,
    Data:
      source === null
        ? 'withheld'
        : source.kind === 'folder'
          ? source.folder
          : source.kind === 'table'
            ? `${source.table}, photos in ${source.photos}`
            : [...source.features, source.ids, source.labels].join(', '),
    ...(data.area_m2 !== undefined && { 'Frame, m²': String(data.area_m2) }),
    Photos: String(data.images),
    ...Object.fromEntries(
      (data.covariates ?? []).map((one) => [
        `Measured: ${one.name}`,
        `${covariateWords(one)} of ${one.photos} photos, ${Number(one.low.toPrecision(4))} to ${Number(one.high.toPrecision(4))}`,
      ]),
    ),
    'Input columns': sets.map(({ name, columns }) => `${columns} (${name})`).join(' + '),
    ...Object.fromEntries(
      sets.flatMap(({ name, weights }) =>
        weights
          ? [
              [`Weights of ${name}`, weights.source],
              [`Weights of ${name} (SHA-256)`, weights.sha256],
            ]
          : [],
      ),
    ),
    ...importedFrom(imported ?? []),
    'Data fingerprint (SHA-256)': data.fingerprint,
    'Run fingerprint (SHA-256)': fingerprint,
  };
}

/** The files that each fold was imported from. */
function importedFrom(imported: NonNullable<TrainedManifest['imported']>): Record<string, string> {
  const byFold: Record<string, string> = {};
  imported.forEach(({ file, sha256, fold }, index) => {
    const title = `Fold ${fold ?? index} imported from`;
    const entry = `${file} (SHA-256 ${sha256.slice(0, 12)}…)`;
    byFold[title] = title in byFold ? `${byFold[title]}, ${entry}` : entry;
  });
  return byFold;
}
