import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../ground/errors.ts';
import type { RandomStream } from '../../ground/random.ts';
import { type FittedModel, fittedModel, type ModelGraph } from '../../learning/estimator.ts';
import type { Targets } from '../../pasture/targets.ts';
import type { Samples } from '../../samples/samples.ts';
import { openSafetensors, saveTensors } from '../../tensor/index.ts';
import type { MassMap } from '../../vision/biomass-map/index.ts';
import { hasDropout } from '../network/dropout.ts';
import type { Weights } from '../network/loop-state.ts';
import {
  asStored,
  forStorage,
  type NetworkModel,
  readNetwork,
  writeNetwork,
} from '../network/model-files.ts';
import { physicalMasses } from '../network/physical-masses.ts';
import { BACKBONE } from './photo-backbone.ts';
import { photoNetworkGraph } from './photo-network-graph.ts';
import { type PhotoNetwork, PhotoProgram } from './photo-program.ts';

const TRAINED = 'backbone.safetensors';

/** What all models of a recipe have in common. */
export type LookingAtPhotos = Pick<PhotoNetwork, 'net' | 'memory' | 'settings'>;

/**
 * The model of trained weights. Weights of the backbone are kept as they will be stored, so that what predicts now
 * predicts the same when it is read back.
 *
 * @param weights heads, and what was trained of the backbone under `backbone.`
 */
export function trainedPhotoModel(
  looking: LookingAtPhotos,
  network: NetworkModel,
  weights: Weights,
): FittedModel {
  const { settings } = looking;
  const trained = asStored(ofBackbone(weights), settings.storage);
  const [heads = {}] = network.members;
  return photoModel({ ...looking, heads, trained }, async (folder) => {
    await writeNetwork(folder, network, settings.storage);
    const { mode } = settings.fineTune;
    await saveTensors(join(folder, TRAINED), { ...forStorage(trained, settings.storage) }, { mode });
  });
}

/**
 * Reads a model that was written; trained weights are used where they lie.
 *
 * @throws InputError when a file is missing, damaged or of another recipe
 */
export async function readPhotoModel(looking: LookingAtPhotos, folder: string): Promise<FittedModel> {
  const { settings } = looking;
  const network = await readNetwork(folder, settings.architecture.kind);
  const path = join(folder, TRAINED);
  const trained = await openSafetensors(path);
  const mode = new Map(Object.entries(trained.metadata)).get('mode');
  if (mode !== settings.fineTune.mode) {
    throw new InputError(path, `was trained in mode ${mode ?? 'unknown'}`, 'train the run again');
  }
  const [heads = {}] = network.members;
  return photoModel(
    { ...looking, heads, trained },
    async (other) => {
      await writeNetwork(other, network, settings.storage);
      await copyFile(path, join(other, TRAINED));
    },
    () => photoNetworkGraph(looking.net, settings, network, trained),
  );
}

function photoModel(
  network: PhotoNetwork,
  write: (folder: string) => Promise<void>,
  graph?: () => ModelGraph,
): FittedModel {
  const { architecture } = network.settings;
  let masses: Promise<PhotoProgram> | undefined;
  return fittedModel({
    async predict(samples) {
      masses ??= PhotoProgram.open(network, (heads) => heads.masses);
      return physicalMasses(await (await masses).run(samples), architecture);
    },
    ...(hasDropout(network.settings) && {
      sampleDropout: (samples, draws, random) => sampled(network, samples, draws, random),
    }),
    ...(graph && { graph }),
    ...(architecture.kind === 'density' && { maps: (samples) => mapsOf(network, samples) }),
    write,
    async release() {
      const open = masses;
      masses = undefined;
      await (await open)?.dispose();
    },
  });
}

async function sampled(
  network: PhotoNetwork,
  photos: Samples,
  samples: number,
  random: RandomStream,
): Promise<Targets[][]> {
  const program = await PhotoProgram.open(network, (heads) => heads.masses, true);
  try {
    const drawn: Targets[][] = [];
    for (let sample = 0; sample < samples; sample++) {
      const masses = await program.run(photos, random.fork(sample));
      drawn.push(physicalMasses(masses, network.settings.architecture));
    }
    return drawn;
  } finally {
    await program.dispose();
  }
}

async function mapsOf(network: PhotoNetwork, photos: Samples): Promise<MassMap[]> {
  const { plan } = network.net;
  const halves = plan.view === 'whole' ? 1 : 2;
  const width = halves * plan.grid ** 2 * 3;
  const program = await PhotoProgram.open(network, ({ maps, masses }) => maps ?? masses);
  try {
    const grams = await program.run(photos);
    return photos.facts.map((_, photo) => ({
      halves,
      rows: plan.grid,
      columns: plan.grid,
      grams: grams.slice(photo * width, (photo + 1) * width),
    }));
  } finally {
    await program.dispose();
  }
}

/** Trained weights of the backbone under the checkpoint's names. */
export function ofBackbone(weights: Weights): Weights {
  return Object.fromEntries(
    Object.entries(weights)
      .filter(([name]) => name.startsWith(BACKBONE))
      .map(([name, data]) => [name.slice(BACKBONE.length), data]),
  );
}
