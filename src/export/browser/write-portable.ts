import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../ground/errors.ts';
import type { Progress } from '../../ground/progress.ts';
import { randomStream } from '../../ground/random.ts';
import { packageVersion } from '../../ground/version.ts';
import { massesIn } from '../../pasture/partial.ts';
import { MASS_NAMES, targetsToArray } from '../../pasture/targets.ts';
import {
  PORTABLE_FORMAT,
  type PortableDomain,
  type PortableModel,
  type PortableSource,
} from '../../portable/model.ts';
import { packDomain } from '../../portable/packed-domain.ts';
import { areSame, PortableRun } from '../../portable/portable-run.ts';
import type { Run } from '../../runs/run.ts';
import { photoSamples } from '../../samples/samples.ts';
import { input } from '../../tensor/index.ts';
import { type ModelParts, modelBytes } from '../../tensor/onnx/model.ts';
import { DESCRIPTOR_NAMES } from '../../vision/descriptors/index.ts';
import type { Precision } from '../../vision/features/index.ts';
import { combinedWidth } from '../../vision/features/plan.ts';
import { rawPicture } from '../../vision/photos/encoded.ts';
import { photoFrom } from '../../vision/photos/index.ts';
import { isBranch, type KnownBranch, type KnownSource } from '../branches.ts';
import { backboneParts } from '../mass-model.ts';
import { covariateFacts, licenceLine } from '../model-facts.ts';
import { placeOf, type RunParts, readRunParts } from '../run-model.ts';
import { INSIDE } from '../weight-placement.ts';
import { estimatorModel, readSources } from './estimator-model.ts';
import { nodeHost } from './node-host.ts';
import { inSinglePrecision } from './single-precision.ts';
import { writeStored } from './stored-files.ts';

/** Size of the picture that every place which runs a model is tested with. */
const [TEST_WIDTH, TEST_HEIGHT] = [280, 120];

/**
 * Writes a run into a folder for programs beside Node: ONNX models of single precision in checked pieces, and
 * `model.json` with everything that is done before and after them (see `PortableRun`, which the browser's engine runs).
 * What was written is asked about a picture, and must answer as the run does.
 *
 * @param precision of the backbones' weights; null: that of the recipe
 * @throws UsageError when the run cannot be written so, or would answer otherwise
 */
export async function writePortable(
  folder: string,
  run: Run,
  precision: Precision | null,
  progress: Progress,
): Promise<PortableModel> {
  const parts = await readRunParts(run, 'inputs', {
    precision,
    covariates: run.covariates.map(({ name }) => name),
  });
  if (parts.members.some(({ manifest }) => manifest.recipe.crop)) {
    throw new UsageError(
      `${run.folder} was trained on photos that were cut (crop), which the app does not do: export it with --target program, or train on whole photos`,
    );
  }
  const known = [...parts.sources];
  const domains = await writeDomains(folder, parts, known);
  progress.stage('Writing models', known.length + 1, 'models');
  const sources: PortableSource[] = [];
  for (const source of known) {
    sources.push(isBranch(source) ? await writeBackbone(folder, source) : { kind: source });
    progress.advance();
  }
  const estimators = estimatorModel(parts, sources.map(widthOf), run.covariates.length);
  const stored = await writeStored(folder, bytesOf(estimators, parts));
  progress.advance();
  progress.done();
  const calibration = await run.storedCalibration();
  const { masses } = await run.capabilities();
  const taught = massesIn(masses);
  const untested: PortableModel = {
    format: PORTABLE_FORMAT,
    sward: packageVersion(),
    run: {
      name: run.name,
      fingerprint: parts.fingerprint,
      photos: Math.max(...parts.members.map(({ manifest }) => manifest.data.images)),
      sessions: calibration.sessions,
      about: run.about && {
        what: run.about.what,
        licence: run.about.licence,
        attribution: run.about.attribution,
      },
      licences: [...new Set(known.filter(isBranch).map(({ weights }) => licenceLine(weights)))],
    },
    precision: known.find(isBranch)?.branch.precision ?? 'fp32',
    area_m2: run.areaSquareMetres,
    sources,
    covariates: run.covariates.map(covariateFacts),
    estimators: { model: stored, reads: readSources(parts.estimators) },
    ...(taught.length < MASS_NAMES.length && { masses: taught }),
    domains,
    calibration,
    trained_on: await trainingPhotos(parts),
    self_test: await writePicture(folder),
  };
  const self_test = await answeredPicture(folder, run, untested, precision === null);
  const model = { ...untested, self_test };
  await writeFile(join(folder, 'model.json'), `${JSON.stringify(model)}\n`);
  return model;
}

/** The records by which members tell photos unlike their training photos; features that only these need are added. */
async function writeDomains(
  folder: string,
  { members }: RunParts,
  known: KnownSource[],
): Promise<PortableDomain[]> {
  const domains: PortableDomain[] = [];
  for (const { run, inputs } of members) {
    const [record, [first]] = [await run.domain(), await run.models()];
    const hasOwnBackbone = first?.graph().viewFeatures !== null;
    // As `TrainedRun` asks its record: what is of something else tells nothing.
    if (record?.of !== (hasOwnBackbone ? 'descriptors' : 'inputs')) continue;
    const read: readonly KnownSource[] = hasOwnBackbone ? ['descriptors'] : inputs;
    const { layout, bytes } = packDomain(record);
    domains.push({
      reads: read.map((source) => placeOf(source, known)),
      ...layout,
      data: await writeStored(folder, bytes),
    });
  }
  return domains;
}

async function writeBackbone(
  folder: string,
  { branch, plan }: KnownBranch,
): Promise<Extract<PortableSource, { kind: 'backbone' }>> {
  const { backbone, precision, views } = branch;
  const { size, interpolation, mean, std } = views;
  const features = backbone.features(input('views', [backbone.batch, 3, backbone.size, backbone.size]));
  const parts = await backboneParts(features, precision, INSIDE);
  return {
    kind: 'backbone',
    model: await writeStored(folder, modelBytes(inSinglePrecision(parts))),
    plan,
    size,
    interpolation,
    mean: [...mean],
    std: [...std],
    batch: backbone.batch,
    width: features.shape[1] as number,
  };
}

const widthOf = (source: PortableSource): number =>
  source.kind === 'descriptors' ? DESCRIPTOR_NAMES.length : combinedWidth(source.plan, source.width);

const bytesOf = (estimators: ModelParts, { fingerprint }: RunParts): Uint8Array =>
  modelBytes({ ...estimators, metadata: { run: fingerprint } });

async function trainingPhotos({ members }: RunParts): Promise<string[] | null> {
  const all = await Promise.all(members.map(({ run }) => run.trainingPhotos()));
  const known = all.flatMap((photos) => (photos ? [...photos] : []));
  return all.every((photos) => photos === null) ? null : [...new Set(known)].sort();
}

/** Answers of a picture that has not been asked about. */
const UNANSWERED = [0, 0, 0, 0, 0];

/** A picture with blades of all greens, browns between, and noise. */
async function writePicture(folder: string): Promise<PortableModel['self_test']> {
  const random = randomStream(1).fork('self-test');
  const [width, height] = [TEST_WIDTH, TEST_HEIGHT];
  const data = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    const blade = (x * 7 + y * 3 + 40 * Math.floor(y / 30)) % 60 < 25;
    const colour = blade ? [70 + (x % 50), 120 + (y % 60), 40] : [120, 95 + (x % 20), 70];
    data.set(
      colour.map((level) => level + random.integer(30)),
      pixel * 3,
    );
  }
  return { width, height, pixels: await writeStored(folder, data), masses: UNANSWERED };
}

const orNull = (mass: number): number | null => (Number.isNaN(mass) ? null : mass);

/**
 * The picture with what the run says of it; where another precision than the run's was chosen, what the exported model
 * says.
 *
 * @throws UsageError where the exported model answers otherwise than the run
 */
async function answeredPicture(
  folder: string,
  run: Run,
  model: PortableModel,
  isRunsPrecision: boolean,
): Promise<PortableModel['self_test']> {
  const { self_test: picture } = model;
  const { width, height } = picture;
  const host = nodeHost(folder);
  const data = await host.read(picture.pixels);
  const portable = new PortableRun(model, host);
  const photo = { name: 'self-test', pixels: { width, height, data }, sha256: null };
  const exported = await portable.predict(photo).finally(() => portable.release());
  const said = targetsToArray(exported.prediction.targets);
  if (!isRunsPrecision) return { ...picture, masses: said.map(orNull) };
  const bytes = await rawPicture(data, width, height, 3).png().toBuffer();
  const [own] = await run.predict(photoSamples([photoFrom(photo.name, bytes)]), {
    outOfDomain: false,
    crop: null,
  });
  if (!own) throw new UsageError(`${run.folder} says nothing of a photo`);
  const masses = targetsToArray(own.targets);
  if (areSame(said, masses)) return { ...picture, masses: masses.map(orNull) };
  const worst = masses.map((mass, at) => Math.abs(mass - (said[at] ?? 0)));
  const at = worst.indexOf(Math.max(...worst));
  throw new UsageError(
    `${run.folder} cannot be exported for browsers: in single precision it says ${said[at]?.toFixed(2)} g of ` +
      `${MASS_NAMES[at]} where the run says ${masses[at]?.toFixed(2)} g`,
  );
}
