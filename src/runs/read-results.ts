import { readLearningBySessions } from './learning-by-sessions.ts';
import { type EnsembleManifest, frameAreaOf, requireData, type TrainedManifest } from './manifest.ts';
import { readOutOfFold } from './out-of-fold.ts';
import { readPseudoRecord } from './pseudo-record.ts';
import type { RunResults } from './results.ts';
import { readMetrics } from './run-folder.ts';
import { readScores, scoreFolds, scoreRows } from './scores.ts';

/**
 * Everything a report shows of a trained run, from its folder, which need not be complete yet.
 *
 * @throws InputError when one of its files is missing or damaged
 */
export async function trainedResults(run: string, manifest: TrainedManifest): Promise<RunResults> {
  const rows = await readOutOfFold(run, requireData(run, manifest));
  const folds = scoreFolds(rows);
  return {
    recipeName: manifest.recipe.name,
    outOfFold: scoreRows(rows),
    perFold: folds,
    leaveOneStateOut: (await readScores(run)).leave_one_state_out,
    rows,
    curves: await Promise.all(folds.map(async ({ fold }) => ({ fold, lines: await readMetrics(run, fold) }))),
    pseudo: await readPseudoRecord(run),
    bySessions: await readLearningBySessions(run),
    areaSquareMetres: frameAreaOf(manifest),
    settings: manifest.recipe,
    provenance: provenanceOf(manifest),
  };
}

/** The same of an ensemble. @throws as {@link trainedResults} */
export async function ensembleResults(
  run: string,
  manifest: EnsembleManifest,
  name: string,
): Promise<RunResults> {
  const rows = await readOutOfFold(run, manifest.data.source);
  const { leave_one_state_out, ensemble } = await readScores(run);
  return {
    recipeName: name,
    outOfFold: scoreRows(rows),
    perFold: scoreFolds(rows),
    leaveOneStateOut: leave_one_state_out,
    rows,
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
