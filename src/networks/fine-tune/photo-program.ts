import { InputError } from '../../ground/errors.ts';
import { type RandomStream, randomStream } from '../../ground/random.ts';
import type { Samples } from '../../samples/samples.ts';
import {
  compile,
  type Program,
  type SafetensorsFile,
  Scope,
  sizeOf,
  type Tensor,
  Variables,
} from '../../tensor/index.ts';
import { heads } from '../network/heads.ts';
import type { Weights } from '../network/loop-state.ts';
import type { Heads } from '../network/masses.ts';
import type { NetworkSettings } from '../network/settings.ts';
import { compileOptions, photosAtOnce, viewInput } from './open-stage.ts';
import { BACKBONE, backboneFeatures, backboneScope, IMAGES, type PhotoBackbone } from './photo-backbone.ts';
import { type PhotoMemory, PhotoViews } from './photo-views.ts';
import { viewBatches } from './view-batches.ts';

/** A trained network that looks at photos. */
export interface PhotoNetwork {
  readonly net: PhotoBackbone;
  readonly memory: PhotoMemory;
  readonly settings: NetworkSettings;
  /** Heads and statistics. */
  readonly heads: Weights;
  /**
   * What of the backbone was trained, under the checkpoint's names: in a file, which is used where it lies, or in
   * memory as long as it is not written.
   */
  readonly trained: SafetensorsFile | Weights;
}

/** A network from views to one of its heads' tensors, compiled. */
export class PhotoProgram {
  readonly #program: Program;
  readonly #views: PhotoViews;
  readonly #batch: number;
  readonly #width: number;

  private constructor(program: Program, views: PhotoViews, batch: number, width: number) {
    this.#program = program;
    this.#views = views;
    this.#batch = batch;
    this.#width = width;
  }

  /**
   * @param output which tensor is wanted, `[batch, …]`
   * @param dropout whether dropout and stochastic depth stay on
   * @throws InputError when a weight is missing
   */
  static async open(
    { net, memory, settings, heads: weights, trained }: PhotoNetwork,
    output: (heads: Heads) => Tensor,
    dropout = false,
  ): Promise<PhotoProgram> {
    const inFile = isFile(trained);
    const names = new Set(inFile ? trained.tensors.keys() : Object.keys(trained));
    const random = randomStream(0);
    const { fineTune } = settings;
    const body = backboneScope(net, fineTune, {
      random,
      part: { trains: (name) => names.has(name), rate: 0 },
      variable: !inFile,
      ...(inFile && { trained }),
    });
    const head = Scope.root({ random });
    const batch = photosAtOnce(net);
    const features = backboneFeatures(
      net,
      dropout ? body.forTraining() : body.forInference(),
      viewInput(net, batch),
      { dropPath: fineTune.dropPath },
    );
    const result = output(heads(dropout ? head.forTraining() : head.forInference(), features, settings));
    const variables = new Variables();
    setWeights(variables, head, weights, '');
    if (!inFile) setWeights(variables, body, trained, BACKBONE);
    const program = await compile({ outputs: { result } }, { ...compileOptions(settings), variables });
    const views = new PhotoViews(net, memory);
    return new PhotoProgram(program, views, batch, sizeOf(result.shape) / batch);
  }

  /**
   * The output for all photos, one after another; the next views are made while the network computes.
   *
   * @param random draws dropout masks
   * @throws InputError when a photo cannot be used
   */
  async run({ photos, turn }: Samples, random?: RandomStream): Promise<Float32Array> {
    const results = new Float32Array(photos.length * this.#width);
    const wanted = photos.map((path) => ({ path, turn }));
    let index = 0;
    for await (const { items, images } of viewBatches(this.#views, wanted, this.#batch)) {
      const options = random ? { random: random.fork(index) } : {};
      const { result } = await this.#program.run({ [IMAGES]: images }, options);
      const values = result?.values.subarray(0, items.length * this.#width) as Float32Array;
      results.set(values, index * this.#batch * this.#width);
      index += 1;
    }
    return results;
  }

  async dispose(): Promise<void> {
    await this.#views.close();
    await this.#program.dispose();
  }
}

const isFile = (trained: SafetensorsFile | Weights): trained is SafetensorsFile =>
  'tensors' in trained && trained.tensors instanceof Map;

/** Gives the variables of a scope their values. @throws InputError when one is missing or misshapen */
function setWeights(variables: Variables, scope: Scope, weights: Weights, prefix: string): void {
  for (const parameter of scope.parameters) {
    if (!parameter.variable) continue;
    const data = weights[parameter.name.slice(prefix.length)];
    if (!data || sizeOf(data.shape) !== sizeOf(parameter.shape)) {
      const what = `has no ${parameter.name} of the shape its recipe says`;
      throw new InputError('the network', what, 'train the run again');
    }
    variables.set(parameter, data.values);
  }
}
