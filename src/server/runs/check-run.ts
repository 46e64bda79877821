import { mkdir, rename } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize, relative } from 'node:path';
import { InputError } from '../../ground/errors.ts';
import { fileFingerprint } from '../../ground/fingerprint.ts';
import { HEIGHT, setName } from '../../pasture/covariates.ts';
import { errorRecords } from '../../runs/error-records.ts';
import { manifestFile, readCompleteManifest } from '../../runs/manifest.ts';
import type { Run } from '../../runs/run.ts';
import { isObjectLocation } from '../../storage/index.ts';
import { openRun, predictRun } from '../../workflows/index.ts';
import { trialPicture } from '../inference/trial-picture.ts';
import type { CheckedRun } from './check-task.ts';
import { ownFiles } from './own-files.ts';

const MANIFEST = manifestFile('trained');

/**
 * Moves the run out of an archive that was unpacked.
 *
 * @param aside folder that it was unpacked into
 * @param names of its files there
 * @param into folder to be made, of the run's own files
 * @throws InputError where the files are not those of one run folder, or the run needs others
 */
export async function takeUnpackedRun(aside: string, names: readonly string[], into: string): Promise<void> {
  const manifests = names.filter((name) => name === MANIFEST || name.endsWith(`/${MANIFEST}`));
  const [manifest = '', second] = manifests.sort((a, b) => a.length - b.length);
  const root = dirname(manifest);
  const isOne = manifest !== '' && (root === '.' || names.every((name) => name.startsWith(`${root}/`)));
  if (!isOne || (second !== undefined && dirname(second) === root)) {
    throw new InputError(
      'the archive',
      `is not the zip of one run folder (with ${MANIFEST})`,
      'zip a folder that sward train or sward share wrote',
    );
  }
  await requireSelfContained(join(aside, root));
  // What else lies in the archive is nothing that the run needs.
  const own = new Set(await ownFiles(join(aside, root)));
  for (const name of names) {
    const inRun = relative(root, name);
    if (![...above(inRun)].some((part) => own.has(part))) continue;
    await mkdir(dirname(join(into, inRun)), { recursive: true });
    await rename(join(aside, name), join(into, inRun));
  }
}

/** A path and those of the folders that it lies in: a result may be a folder. */
function* above(path: string): Generator<string> {
  for (let part = path; part !== '.'; part = dirname(part)) yield part;
}

/** @throws InputError for a run that needs files beside its folder, which a server must not be led to read */
export async function requireSelfContained(folder: string): Promise<void> {
  const manifest = await readCompleteManifest(folder);
  const named =
    manifest.kind === 'ensemble'
      ? manifest.members.map(({ run }) => run)
      : manifest.data.sets.flatMap(({ weights }) => weights?.file ?? []);
  const outside = named.find(
    (path) => isObjectLocation(path) || isAbsolute(path) || normalize(path).split(/[\\/]/)[0] === '..',
  );
  if (outside === undefined) return;
  throw new InputError(
    'the run',
    `needs ${outside}, which is not in its folder`,
    manifest.kind === 'ensemble'
      ? 'add a trained run'
      : 'add a run on weights of the catalogue or the bundled ones',
  );
}

/** Opens a run folder and asks it about a picture. @throws InputError for a run that predicts nothing, or none */
export async function checkRun(folder: string): Promise<CheckedRun> {
  await using run = await openRun(folder);
  const { predictsFrom } = await run.capabilities();
  if (predictsFrom === null) throw new InputError('the run', 'predicts nothing', 'add a trained run');
  await predictRun({ run, source: [await trialPicture()], coverage: 0.9 });
  return factsOf(run);
}

/** What is kept of a run that answers. */
export async function factsOf(run: Run): Promise<CheckedRun> {
  const calibration = await run.calibration();
  const withHeight = calibration.cases?.find(({ covariates }) => setName(covariates) === HEIGHT);
  return {
    hash: await fileFingerprint(join(run.folder, MANIFEST)),
    areaSquareMetres: run.areaSquareMetres,
    errors: {
      photo: errorRecords(calibration),
      height: withHeight ? errorRecords(withHeight) : null,
    },
  };
}
