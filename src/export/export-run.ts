import { copyFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { UsageError } from '../ground/errors.ts';
import { makeFolder, replaceFolder } from '../ground/files.ts';
import { fileFingerprint } from '../ground/fingerprint.ts';
import { packageFile } from '../ground/package-file.ts';
import { type Progress, SILENT } from '../ground/progress.ts';
import { packageVersion } from '../ground/version.ts';
import { measuredCases, withoutCovariates } from '../runs/covariate-cases.ts';
import { openRun } from '../runs/open-run.ts';
import type { RunResults } from '../runs/results.ts';
import type { TEST_TIME_TURNS } from '../runs/run.ts';
import { scoreToJson } from '../runs/scores.ts';
import type { Precision } from '../vision/features/index.ts';
import { requireExportFolder } from './export-folder.ts';
import { type KaggleChoice, requireWheels, writeKaggleFiles } from './kaggle.ts';
import { modelCard } from './model-card.ts';
import { type ExportFacts, type FileFacts, modelFacts } from './model-facts.ts';
import type { ModelInput } from './model-input.ts';
import { type RunModel, readRunModel } from './run-model.ts';
import { writeMassModel } from './write-model.ts';

/** A program that uses an export; ships with sward's documentation and with every export of photos. */
const SCRIPT = packageFile('docs/export/run-model.mjs');

/** What is told of a model of photos that were cut. */
const CROPPED =
  'note: the run was trained on photos cut to their frame (crop); the model finds none, so give it photos cut alike';

/** Which run is written as a model, and how. */
export interface ExportOptions {
  /** Folder of a finished run. */
  readonly run: string;
  /** Folder to write. */
  readonly out: string;
  /** Of the backbone's weights; default: that of the recipe. */
  readonly precision?: Precision;
  /** What the model is fed; default whole photos. */
  readonly input?: ModelInput;
  /** Turns that the model averages over; default none. */
  readonly tta?: keyof typeof TEST_TIME_TURNS;
  /** Write what Kaggle's command line uploads: `out/dataset` and `out/notebook`. */
  readonly kaggle?: KaggleChoice;
  /** Replace an export that is there. */
  readonly overwrite?: boolean;
  readonly progress?: Progress;
}

/** What was written. */
export interface ExportOutcome {
  readonly out: string;
  /** Names in the folder. */
  readonly files: readonly string[];
  /** Of the models with their weights. */
  readonly bytes: number;
}

/**
 * Writes a finished run as an ONNX model that needs nothing of sward: photos in, five masses out, the mean over its
 * fold models; with `model.json`, a model card (`README.md`), and a script that uses it. The folder appears whole or
 * not at all.
 *
 * @throws InputError when the run is unfinished or damaged, or weights are not those it was trained with
 * @throws UsageError when the run cannot be written as a model, or `out` holds something else
 */
export async function exportRun(options: ExportOptions): Promise<ExportOutcome> {
  const { run, out, kaggle } = options;
  const { input = 'photos', tta = 'none', precision = null, progress = SILENT } = options;
  if (kaggle && input !== 'photos') throw new UsageError('a Kaggle notebook feeds photos; leave out --input');
  await requireWheels(kaggle?.wheels ?? []);
  await requireExportFolder(out, ['model.json', 'dataset'], options.overwrite ?? false);
  await using opened = await openRun(run, { keepLoaded: false });
  // A competition's notebook has nothing but photos.
  const covariates = kaggle === undefined;
  const runModel = await readRunModel(opened, { input, precision, tta, covariates });
  if (runModel.members.some(({ manifest }) => manifest.recipe.crop)) progress.line?.(CROPPED);
  const results = await opened.results();
  const written = await replaceFolder(resolve(out), async (aside) => {
    const folder = kaggle ? join(aside, 'dataset') : aside;
    await makeFolder(folder);
    progress.stage('Writing the model', 1, 'model');
    const facts = await writeModel(folder, runModel, results, tta);
    progress.advance();
    progress.done();
    await writeFile(join(folder, 'model.json'), `${JSON.stringify(facts, null, 2)}\n`);
    await writeFile(join(folder, 'README.md'), modelCard(facts));
    if (input === 'photos') await copyFile(SCRIPT, join(folder, 'run-model.mjs'));
    if (kaggle) {
      const notebook = join(aside, 'notebook');
      await writeKaggleFiles({ dataset: folder, notebook }, facts.recipe, kaggle);
    }
    const entries = await readdir(aside, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(aside, join(entry.parentPath, entry.name)))
      .sort();
    return { files, bytes: facts.files.reduce((sum, file) => sum + file.bytes, 0) };
  });
  return { out, ...written };
}

async function writeModel(
  folder: string,
  runModel: RunModel,
  results: RunResults,
  tta: string,
): Promise<ExportFacts> {
  const alone = withoutCovariates(results);
  const metadata = { recipe: results.recipeName, run: runModel.fingerprint };
  const names = await writeMassModel(folder, 'model', runModel.model, metadata);
  return {
    format: 1,
    sward: packageVersion(),
    recipe: results.recipeName,
    files: await Promise.all(names.map((name) => fileFacts(folder, name))),
    ...modelFacts(runModel),
    test_time_augmentation: tta,
    scores: {
      out_of_fold: scoreToJson(alone.outOfFold),
      leave_one_state_out: alone.leaveOneStateOut && scoreToJson(alone.leaveOneStateOut.pooled),
      ...(runModel.model.covariates.length > 0 && {
        with_covariates: measuredCases(results).map(({ covariates, outOfFold }) => ({
          covariates,
          out_of_fold: scoreToJson(outOfFold),
        })),
      }),
    },
  };
}

async function fileFacts(folder: string, file: string): Promise<FileFacts> {
  const path = join(folder, file);
  return { file, bytes: (await stat(path)).size, sha256: await fileFingerprint(path) };
}
