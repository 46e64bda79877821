import type { SafetensorsFile } from '../../formats/safetensors/index.ts';
import { InputError, ShapeError } from '../../ground/errors.ts';
import type { RandomStream } from '../../ground/random.ts';
import { encodeNumbers } from '../graph/dtype.ts';
import { parameter, randomMask } from '../graph/leaves.ts';
import type { Parameter, Tensor } from '../graph/operator.ts';
import { type Shape, sameShape, showShape } from '../graph/shape.ts';
import type { Update } from '../graph/update.ts';
import { dtypeOf, fileValue, type TensorData } from '../graph/values.ts';
import { cast } from '../operators/elementwise.ts';
import type { Initializer } from './initializers.ts';

/** Low-rank adapters that `linearLayer` adds to frozen weights. */
export interface LoraOptions {
  readonly rank: number;
  /** The adapter's output is multiplied by alpha / rank. Default: the rank. */
  readonly alpha?: number;
  /** Share of the adapter's inputs dropped in training. Default 0. */
  readonly dropout?: number;
  /** Which linear layers, by full name (`blocks.3.attn.qkv`). Default: all. */
  readonly targets?: (name: string) => boolean;
}

export interface ScopeOptions {
  /** Draws initial values, each from its own fork by name, so that order does not matter. */
  readonly random: RandomStream;
  /** Which parameters are trained, by full name. Default: all. */
  readonly trainable?: (name: string) => boolean;
}

/** What all scopes of one model share. */
interface Registry {
  readonly options: ScopeOptions;
  readonly parameters: Map<string, Parameter>;
  readonly updates: Map<string, Update>;
  readonly masks: Map<string, number>;
}

interface Place {
  readonly path: string;
  readonly training: boolean;
  readonly file?: { readonly weights: SafetensorsFile; readonly root: string };
  /** Values by name relative to `root`, read before all else. */
  readonly values?: { readonly tensors: Readonly<Record<string, TensorData>>; readonly root: string };
  /** What was trained: read before the file, adapters included. */
  readonly trained?: { readonly weights: SafetensorsFile; readonly root: string };
  readonly lora?: LoraOptions;
}

/**
 * Where a model's layers get their parameters: by name, as in its weights file. Asking twice for a name gives the
 * same parameter, so that one model can be built for training and for inference, or for several shapes, over
 * the same weights. A scope below another one prefixes its names.
 */
export class Scope {
  readonly #registry: Registry;
  readonly #place: Place;

  private constructor(registry: Registry, place: Place) {
    this.#registry = registry;
    this.#place = place;
  }

  /** The scope of a new model, in inference mode. */
  static root(options: ScopeOptions): Scope {
    const registry = { options, parameters: new Map(), updates: new Map(), masks: new Map() };
    return new Scope(registry, { path: '', training: false });
  }

  /** Whether dropout and batch statistics act. */
  get training(): boolean {
    return this.#place.training;
  }

  /** The adapters for linear layers, if any. */
  get lora(): LoraOptions | undefined {
    return this.#place.lora;
  }

  /** The scope's own full name; empty for the model. */
  get path(): string {
    return this.#place.path;
  }

  /** The full name of something in this scope. */
  nameOf(name: string): string {
    return this.#place.path === '' ? name : `${this.#place.path}.${name}`;
  }

  /** The scope of a part of the model. */
  in(name: string | number): Scope {
    return this.#with({ path: this.nameOf(String(name)) });
  }

  /** The same parameters, with dropout and batch statistics acting. Each build draws masks of its own. */
  forTraining(): Scope {
    this.#registry.masks.clear();
    this.#registry.updates.clear();
    return this.#with({ training: true });
  }

  /** The same parameters, with dropout off and stored statistics. */
  forInference(): Scope {
    return this.#with({ training: false });
  }

  /** Parameters from here on come from a file, under their names relative to this scope. */
  from(weights: SafetensorsFile): Scope {
    return this.#with({ file: { weights, root: this.#place.path } });
  }

  /**
   * Parameters that a file holds come from there before all else, also those that published weights lack, as
   * adapters; names are relative to this scope. For a model of which only what was trained is stored.
   */
  withTrained(trained: SafetensorsFile): Scope {
    return this.#with({ trained: { weights: trained, root: this.#place.path } });
  }

  /** Parameters from here on have these values, under their names relative to this scope, and are not trained. */
  withValues(tensors: Readonly<Record<string, TensorData>>): Scope {
    return this.#with({ values: { tensors, root: this.#place.path } });
  }

  /** Linear layers from here on get low-rank adapters. */
  withLora(lora: LoraOptions): Scope {
    return this.#with({ lora });
  }

  #with(change: Partial<Place>): Scope {
    return new Scope(this.#registry, { ...this.#place, ...change });
  }

  /**
   * A parameter in float32, whatever its file has. It comes from the scope's file where there is one, else from the
   * initializer.
   *
   * @throws InputError when the file lacks it or has it in another shape
   * @throws ShapeError when it was asked for before in another shape
   */
  parameter(name: string, shape: Shape, initialize: Initializer): Tensor {
    return cast(this.variable(name, shape, initialize), 'float32');
  }

  /** As {@link parameter}, but not from the model's file, which cannot hold it: adapters. */
  newParameter(name: string, shape: Shape, initialize: Initializer): Tensor {
    const { path, training, trained } = this.#place;
    const scope = new Scope(this.#registry, { path, training, ...(trained && { trained }) });
    return scope.parameter(name, shape, initialize);
  }

  /** As {@link parameter}, uncast. `trained: false` for what no gradient reaches, as running statistics. */
  variable(
    name: string,
    shape: Shape,
    initialize: Initializer,
    options: { trained?: boolean } = {},
  ): Parameter {
    const full = this.nameOf(name);
    const known = this.#registry.parameters.get(full);
    if (known !== undefined) {
      if (sameShape(known.shape, shape)) return known;
      throw new ShapeError(`${full} is ${showShape(known.shape)}, but a layer wants ${showShape(shape)}`);
    }
    const made = this.#make(full, shape, initialize, options.trained ?? true);
    this.#registry.parameters.set(full, made);
    return made;
  }

  #make(full: string, shape: Shape, initialize: Initializer, trained: boolean): Parameter {
    const { values } = this.#place;
    if (values !== undefined) return constantParameter(full, shape, values);
    const { random, trainable: isTrainable = () => true } = this.#registry.options;
    const variable = isTrainable(full);
    const role = { variable, trainable: trained && variable };
    const file = this.#fileOf(full);
    if (file === undefined) {
      const generate = () => encodeNumbers('float32', initialize(shape, random.fork(full)));
      return parameter(full, { shape, ...role }, { from: 'generator', generate });
    }
    const { weights } = file;
    const inFile = nameInFile(full, file.root);
    const entry = weights.tensors.get(inFile);
    if (entry === undefined || !sameShape(entry.shape, shape)) {
      const what = entry
        ? `"${inFile}" is ${showShape(entry.shape)}, but the model wants ${showShape(shape)}`
        : `there is no tensor "${inFile}"`;
      throw new InputError(weights.path, what, 'choose the model the file is for');
    }
    // What training changes is kept in full precision, whatever the file has.
    const dtype = variable ? 'float32' : dtypeOf(weights, entry);
    return parameter(full, { shape, dtype, ...role }, fileValue(weights, entry));
  }

  #fileOf(full: string): Place['file'] {
    const { file, trained } = this.#place;
    return trained?.weights.tensors.has(nameInFile(full, trained.root)) ? trained : file;
  }

  /** A mask that is new at every run: 1 with probability `keep`. */
  mask(name: string, shape: Shape, keep: number): Tensor {
    const full = this.nameOf(name);
    const count = (this.#registry.masks.get(full) ?? 0) + 1;
    this.#registry.masks.set(full, count);
    return randomMask(`${full}.mask${count > 1 ? count : ''}`, shape, keep);
  }

  /** Notes what a variable becomes with every training step, as running statistics do. */
  update(variable: Parameter, next: Tensor): void {
    this.#registry.updates.set(variable.name, { variable, next });
  }

  /** The updates noted since `forTraining`. */
  get updates(): Update[] {
    return [...this.#registry.updates.values()];
  }

  /** Every parameter of the model so far, in order of first use. */
  get parameters(): Parameter[] {
    return [...this.#registry.parameters.values()];
  }
}

/** @throws InputError when there is no value, or one of another shape */
function constantParameter(
  full: string,
  shape: Shape,
  { tensors, root }: NonNullable<Place['values']>,
): Parameter {
  const data = tensors[nameInFile(full, root)];
  if (data === undefined || !sameShape(data.shape, shape)) {
    const what = `has no ${full} of ${showShape(shape)}`;
    throw new InputError('the model', what, 'choose the model these weights are for');
  }
  const role = { trainable: false, variable: false };
  return parameter(full, { shape, dtype: data.dtype, ...role }, { from: 'array', values: data.values });
}

const nameInFile = (full: string, root: string): string => (root === '' ? full : full.slice(root.length + 1));
