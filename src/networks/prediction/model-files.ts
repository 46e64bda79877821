import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../ground/errors.ts';
import type { Matrix } from '../../ground/matrix.ts';
import { asSingles } from '../../tensor/graph/dtype.ts';
import {
  decodeNumbers,
  encodeNumbers,
  loadTensors,
  openSafetensors,
  type SafetensorsFile,
  saveTensors,
  type TensorData,
} from '../../tensor/index.ts';
import type { NetworkShape } from '../heads/features.ts';
import type { ArchitectureSettings } from '../heads/heads.ts';
import type { Weights } from '../inputs/input.ts';
import type { NetworkSettings } from '../settings/network.ts';

/** A trained network: its members' weights in single precision, rounded to what is stored. */
export interface NetworkModel {
  readonly architecture: ArchitectureSettings['kind'];
  readonly shape: NetworkShape;
  /** Columns of the rows it takes: `shape`'s, but with a further embedding in place of its concept scores. */
  readonly columns: number;
  /** `[concepts, width]`; null: none. */
  readonly concepts: Matrix | null;
  readonly members: readonly Weights[];
}

const CONCEPTS = 'concepts';
const BACKBONE_FILE = 'backbone.safetensors';
const NUMBERS = ['columns', 'halves', 'parts', 'dim', 'extra', 'members'] as const;

const fileOf = (folder: string, member: number): string => join(folder, `network-${member}.safetensors`);

/** Weights as they come back from a file: matrices rounded to the stored precision, vectors as they are. */
export function asStored(weights: Weights, storage: NetworkSettings['storage']): Weights {
  return inSingle(forStorage(weights, storage));
}

/** Stored weights in single precision. */
export const inSingle = (weights: Weights): Weights => mapped(weights, asSingle);

/** Weights as they are written: matrices in the stored precision, vectors as they are. */
export function forStorage(weights: Weights, storage: NetworkSettings['storage']): Weights {
  return mapped(weights, (data) => storedAs(data, storage));
}

/** Writes `network-0.safetensors`, …, one a member, into an existing folder. */
export async function writeNetwork(
  folder: string,
  model: NetworkModel,
  storage: NetworkSettings['storage'],
): Promise<void> {
  const { architecture, shape, columns, concepts, members } = model;
  const numbers = { ...shape, columns, members: members.length };
  const metadata = {
    estimator: 'network',
    architecture,
    ...Object.fromEntries(NUMBERS.map((name) => [name, String(numbers[name])])),
    ...(shape.covariates && { covariates: String(shape.covariates) }),
  };
  for (const [index, weights] of members.entries()) {
    const tensors: Record<string, TensorData> = { ...forStorage(weights, storage) };
    if (concepts) tensors[CONCEPTS] = conceptTensor(concepts);
    await saveTensors(fileOf(folder, index), tensors, metadata);
  }
}

/**
 * Reads what {@link writeNetwork} wrote.
 *
 * @throws InputError when a file is missing, damaged or of another architecture
 */
export async function readNetwork(
  folder: string,
  architecture: ArchitectureSettings['kind'],
): Promise<NetworkModel> {
  const first = await readMember(folder, 0, architecture);
  const { members: count, columns, ...arranged } = first.numbers;
  const shape = { ...arranged, ...(first.covariates > 0 && { covariates: first.covariates }) };
  const others: Weights[] = [];
  for (let member = 1; member < count; member++) {
    others.push((await readMember(folder, member, architecture)).weights);
  }
  return {
    architecture,
    shape,
    columns,
    concepts: first.concepts,
    members: [first.weights, ...others],
  };
}

/** Writes `backbone.safetensors`: what was trained of a backbone, under the checkpoint's names. */
export async function writeTrainedBackbone(
  folder: string,
  trained: Weights,
  { storage, fineTune }: Pick<NetworkSettings, 'storage' | 'fineTune'>,
): Promise<void> {
  const { mode } = fineTune;
  await saveTensors(join(folder, BACKBONE_FILE), { ...forStorage(trained, storage) }, { mode });
}

/**
 * Opens what {@link writeTrainedBackbone} wrote; weights are used where they lie.
 *
 * @throws InputError when the file is missing, damaged or of another mode
 */
export async function openTrainedBackbone(
  folder: string,
  { fineTune }: Pick<NetworkSettings, 'fineTune'>,
): Promise<SafetensorsFile> {
  const path = join(folder, BACKBONE_FILE);
  const trained = await openSafetensors(path);
  const mode = new Map(Object.entries(trained.metadata)).get('mode');
  if (mode === fineTune.mode) return trained;
  throw new InputError(path, `was trained in mode ${mode ?? 'unknown'}`, 'train the run again');
}

/** Copies a trained backbone into another folder. */
export const copyTrainedBackbone = ({ path }: SafetensorsFile, folder: string): Promise<void> =>
  copyFile(path, join(folder, BACKBONE_FILE));

async function readMember(
  folder: string,
  member: number,
  architecture: string,
): Promise<{
  readonly weights: Weights;
  readonly concepts: Matrix | null;
  readonly numbers: Record<(typeof NUMBERS)[number], number>;
  readonly covariates: number;
}> {
  const path = fileOf(folder, member);
  const { tensors, metadata } = await loadTensors(path);
  const numbers = Object.fromEntries(NUMBERS.map((name) => [name, Number(metadata[name])]));
  const whole = Object.values(numbers).every((value) => Number.isInteger(value) && value >= 0);
  if (metadata.estimator !== 'network' || metadata.architecture !== architecture || !whole) {
    const found = metadata.architecture ?? 'foreign';
    throw new InputError(path, `is a ${found} model, not ${architecture}`, 'train the run again');
  }
  const { [CONCEPTS]: concepts, ...weights } = tensors;
  return {
    weights: inSingle(weights),
    concepts: concepts ? conceptMatrix(concepts) : null,
    numbers: numbers as Record<(typeof NUMBERS)[number], number>,
    covariates: Number(metadata.covariates ?? 0),
  };
}

function mapped(weights: Weights, change: (data: TensorData) => TensorData): Weights {
  return Object.fromEntries(Object.entries(weights).map(([name, data]) => [name, change(data)]));
}

function storedAs(data: TensorData, storage: NetworkSettings['storage']): TensorData {
  const isMatrix = data.shape.length > 1;
  if (storage === 'fp32' || !isMatrix || data.dtype === 'float16') return data;
  const values = encodeNumbers('float16', decodeNumbers(data.dtype, data.values));
  return { dtype: 'float16', shape: data.shape, values };
}

function asSingle({ dtype, shape, values }: TensorData): TensorData {
  return { dtype: 'float32', shape, values: asSingles(decodeNumbers(dtype, values)) };
}

const conceptTensor = ({ rows, columns, data }: Matrix): TensorData => ({
  dtype: 'float64',
  shape: [rows, columns],
  values: data,
});

const conceptMatrix = ({ dtype, shape, values }: TensorData): Matrix => ({
  rows: shape[0] ?? 0,
  columns: shape[1] ?? 0,
  data: Float64Array.from(decodeNumbers(dtype, values)),
});
