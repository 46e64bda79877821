import { existsSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../ground/errors.ts';
import { isInside, realPlaceOf, writeFileAtomically } from '../../ground/files.ts';
import { valueFingerprint } from '../../ground/fingerprint.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import { randomStream } from '../../ground/random.ts';
import { packageVersion } from '../../ground/version.ts';
import type { MetricLine } from '../../learning/estimator.ts';
import { openPhotoBackbone, type PhotoBackbone } from '../../networks/inputs/photos.ts';
import { pretrain, requirePretrainable } from '../../networks/pretraining/pretrain.ts';
import { wholeBackbone } from '../../networks/pretraining/whole-backbone.ts';
import { precisionWarning } from '../../networks/settings/fine-tune.ts';
import {
  fineTuning,
  makePretrainSettings,
  type PretrainChanges,
  type PretrainSettings,
  wholePhotoPlan,
} from '../../networks/settings/pretrain.ts';
import { manifestFile, type PretrainingManifest, RUN_FORMAT, readManifest } from '../../runs/manifest.ts';
import { REPORT } from '../../runs/run-files.ts';
import {
  type ExistingRunPolicy,
  type FolderContents,
  RunFolder,
  requireOwnFolder,
} from '../../runs/run-folder.ts';
import { saveTensors } from '../../tensor/index.ts';
import { originOf, type ResolvedWeights, resolveWeights } from '../../vision/weights/index.ts';
import { type PretrainData, readPretrainData } from './pretrain-data.ts';
import { watchEpochs } from './pretrain-progress.ts';

/** The trained weights, by the name that their description beside them has too. */
const BACKBONE_FILE = 'backbone.safetensors';
const DESCRIPTION = 'backbone.json';
const PHOTOS = 'photos.csv';
const METRICS = 'metrics.jsonl';
/** Where training keeps what it goes on from after a kill. Nothing of it is left in the end. */
const CHECKPOINT = 'checkpoint';

const DEFAULT_SEED = 42;

const DERIVED: readonly string[] = [BACKBONE_FILE, DESCRIPTION, PHOTOS, REPORT, METRICS];
const CONTENTS: FolderContents = {
  derived: (name) => DERIVED.includes(name),
  essential: [],
  resumable: /^checkpoint$/,
};

/** Which backbone is trained further on which photos. */
export interface PretrainOptions extends ExistingRunPolicy {
  /** Folder of class folders or of a table, or the table. */
  readonly photos: string;
  /** Name in the catalogue, repository of the hub, or a file. */
  readonly backbone: string;
  /** Folder to write. */
  readonly out: string;
  /** Settings in which it is to differ from the usual ones. */
  readonly settings?: PretrainChanges;
  readonly seed?: number;
  readonly progress?: Progress;
}

/**
 * Trains a backbone further on photos of classes or with measurements, and writes a folder: the whole backbone as
 * `backbone.safetensors` with its description, `pretrain.json`, `metrics.jsonl`, `photos.csv` and `report.html`. An
 * interrupted pretraining resumes; a finished one of the very same command is left as it is.
 *
 * @throws InputError when photos, labels or weights cannot be used
 * @throws UsageError when `out` holds something else, or settings, backbone and photos do not suit each other
 */
export async function pretrainBackbone(options: PretrainOptions): Promise<PretrainingManifest> {
  const { out, seed = DEFAULT_SEED, progress = SILENT } = options;
  const settings = makePretrainSettings(options.settings);
  await requireOwnFolder(out, manifestFile('pretraining'));
  const weights = await resolveWeights(options.backbone);
  await requireElsewhere(weights, out);
  const net = await openPhotoBackbone(weights, wholePhotoPlan(settings));
  requirePretrainable(net, settings);
  const slow = precisionWarning(fineTuning(settings));
  if (slow) progress.line?.(slow);
  const data = await readPretrainData(options.photos, out, settings, seed, progress);
  const made = { ...options, settings, seed };
  const manifest = manifestOf(made, weights, data);
  const folder = await RunFolder.begin(out, manifest, CONTENTS, options);
  if (!folder) return finished(out, data);
  try {
    await data.writeList(join(out, PHOTOS));
    const lines = await trainInto(out, made, net, data, weights);
    const facts = await fileFacts(out, settings);
    const changes = { curves: lines, result: { ...facts, epoch: keptEpoch(lines, data, settings) } };
    await writeReport(out, { ...manifest, ...changes }, data);
    await folder.complete([BACKBONE_FILE, DESCRIPTION], changes);
    return await finished(out, data);
  } catch (error) {
    throw await folder.failure(error);
  } finally {
    await folder.release();
  }
}

/** What a finished folder says, with its report if it lacks. */
async function finished(out: string, data: PretrainData): Promise<PretrainingManifest> {
  const manifest = await readManifest(out, manifestFile('pretraining'));
  if (manifest.kind !== 'pretraining') throw new RangeError(`${out} holds no pretraining`);
  // Only now: on a full disk the manifest may fail to be written, and all epochs would be lost.
  await rm(join(out, CHECKPOINT), { recursive: true, force: true });
  if (!existsSync(join(out, REPORT))) await writeReport(out, manifest, data);
  return manifest;
}

/** Writes the report. Plots bring a DOM along, which most commands should not have to load. */
async function writeReport(
  out: string,
  manifest: PretrainingManifest,
  { task }: PretrainData,
): Promise<void> {
  const { writePretrainReport } = await import('../../report/pretrain-report.ts');
  await writePretrainReport(join(out, REPORT), manifest, task.scoreName);
}

type CompleteOptions = PretrainOptions & { readonly settings: PretrainSettings; readonly seed: number };

/** Trains, and writes the weights with their description and curves. @returns a line an epoch */
async function trainInto(
  out: string,
  { backbone, settings, seed, progress = SILENT }: CompleteOptions,
  net: PhotoBackbone,
  data: PretrainData,
  weights: ResolvedWeights,
): Promise<MetricLine[]> {
  const lines: MetricLine[] = [];
  const { epochs } = settings.estimator;
  const watch = watchEpochs(progress, `Pretraining ${backbone}`, data.train.length, epochs);
  const trained = await pretrain({
    net,
    settings,
    ...data,
    random: randomStream(seed),
    record: (line) => {
      lines.push(line);
      watch.record(line);
    },
    onProgress: watch.onProgress,
    checkpointFolder: join(out, CHECKPOINT),
  });
  watch.done();
  await writeFileAtomically(join(out, METRICS), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  await saveTensors(join(out, BACKBONE_FILE), await wholeBackbone(net, trained, settings), {
    format: 'pt',
    pretrained_from: weights.sha256,
  });
  const description = describe(weights, net);
  await writeFileAtomically(join(out, DESCRIPTION), `${JSON.stringify(description, null, 2)}\n`);
  return lines;
}

/** @throws UsageError where writing would take away what is read */
async function requireElsewhere({ path }: ResolvedWeights, out: string): Promise<void> {
  if (!isInside(await realPlaceOf(out), await realPlaceOf(path))) return;
  throw new UsageError(`${path} lies in --out ${out}; choose another --out`);
}

function manifestOf(
  { backbone, settings, seed }: CompleteOptions,
  weights: ResolvedWeights,
  data: PretrainData,
): PretrainingManifest {
  const { source, sha256, arch } = weights;
  return {
    format: RUN_FORMAT,
    kind: 'pretraining',
    status: 'complete',
    sward: packageVersion(),
    seed,
    settings,
    backbone: { name: backbone, source, sha256, arch, origin: originOf(weights) },
    photos: data.facts,
    curves: [],
    result: null,
    fingerprint: valueFingerprint([
      packageVersion(),
      settings,
      seed,
      sha256,
      weights.config,
      weights.preprocessing,
      data.facts.fingerprint,
    ]),
    files: {},
  };
}

/** sward's own description of weights, with which the file beside it is used like any other. */
function describe(weights: ResolvedWeights, { recipe }: PhotoBackbone): object {
  const { arch, config, preprocessing } = weights;
  const { mean, std, interpolation, cropFraction, cropMode } = preprocessing;
  const inputSize = [recipe.size, recipe.size];
  return {
    arch,
    config,
    preprocessing: { inputSize, mean, std, interpolation, cropFraction, cropMode },
    origin: originOf(weights),
  };
}

/** The file as it lies there, opened as any command would. @throws InputError when it could not be used */
async function fileFacts(
  out: string,
  settings: PretrainSettings,
): Promise<{ file: string; bytes: number; sha256: string }> {
  const path = join(out, BACKBONE_FILE);
  const written = await resolveWeights(path);
  await openPhotoBackbone(written, wholePhotoPlan(settings));
  return { file: BACKBONE_FILE, bytes: (await stat(path)).size, sha256: written.sha256 };
}

/** The epoch whose weights were kept. */
function keptEpoch(
  lines: readonly MetricLine[],
  { task }: PretrainData,
  { estimator }: PretrainSettings,
): number {
  const { choice, by } = estimator.checkpoint;
  const worth = (line: MetricLine): number =>
    (by === 'score' ? line[task.scoreName] : -(line['validation loss'] ?? Number.NaN)) ?? Number.NaN;
  const validated = choice === 'best' ? lines.filter((line) => Number.isFinite(worth(line))) : [];
  const best = validated.reduce<MetricLine | undefined>(
    (best, line) => (best === undefined || worth(line) > worth(best) ? line : best),
    undefined,
  );
  return (best ?? lines.at(-1))?.epoch ?? lines.length;
}
