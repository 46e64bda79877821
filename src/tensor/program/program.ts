import { environment } from '../../ground/environment.ts';
import { SwardError, UsageError } from '../../ground/errors.ts';
import type { RandomStream } from '../../ground/random.ts';
import { allocate, bytesOf } from '../graph/dtype.ts';
import type { Parameter, Tensor, TensorSpec } from '../graph/operator.ts';
import { sizeOf } from '../graph/shape.ts';
import type { Update } from '../graph/update.ts';
import { initialValues, type TensorData } from '../graph/values.ts';
import { type EmittedModel, emitModel } from '../onnx/emit.ts';
import { embeddedInitializer, initializersInPlace, LOCATION_ROOT, modelBytes } from '../onnx/model.ts';
import type { TileSizes } from '../onnx/tiles.ts';
import { hasDepthwise } from '../operators/convolution.ts';
import { autocast } from '../precision/autocast.ts';
import { withInt8Products } from '../precision/int8.ts';
import type { Precision } from '../precision/lists.ts';
import { type QuantizationOptions, quantizedReplacements } from '../quantize/plan.ts';
import { channelBlockHere } from './channel-block.ts';
import { type Feed, feedValue, runtimeValue } from './feeds.ts';
import { int8ProductsOverflow, tileSizes } from './processor.ts';
import { openOn, type Provider, type ProviderOptions } from './provider.ts';
import { InferenceSession, type Tensor as Value } from './runtime.ts';
import { type OpenSession, openedHere, type Sessions } from './sessions.ts';
import { forRunningInPlace } from './stop.ts';
import { openInThreads } from './threads.ts';
import { handoverValues, UpdateKernels } from './update-kernels.ts';
import { Variables } from './variables.ts';

export interface CompileOptions extends ProviderOptions {
  /** Threads of one operator. Default: that of the environment. */
  readonly threads?: number;
  /**
   * Run on so many threads of its own instead of the calling one, as many times at once, each with a session and so a copy
   * of what is constant. For the CPU, and for programs that have no variables. Where nothing is built: on the calling one.
   */
  readonly atOnce?: number;
  /** Where variable parameters live. Default: a store of the program's own. */
  readonly variables?: Variables;
  /** Make variable parameters part of the program, with the values they have now: faster to run. */
  readonly freeze?: boolean;
  /** Run frozen linear layers with int8 or 4-bit weights. */
  readonly quantize?: QuantizationOptions;
  /** Compute chains of elementwise operations in tiles of these sizes. Default: on the CPU, in its cache's. */
  readonly tiles?: TileSizes | false;
  /** Where sessions come from and go to that other programs of the same model may use. Default: each has its own. */
  readonly sessions?: Sessions;
  /**
   * Do updates by kernels of WebAssembly, in place, where they can: the same numbers. Default true, also where the rest
   * runs on a card: onnxruntime-node hands everything to a card and back at every run, and so moments stay at home.
   */
  readonly kernels?: boolean;
  /** What products are computed in; all else that needs the digits stays in float32. Default float32. */
  readonly precision?: Precision;
}

/** What a program computes. */
export interface ProgramSpec {
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly updates?: readonly Update[];
  /** Tensors that keep their precision where products are computed in half. */
  readonly precise?: readonly Tensor[];
}

export interface RunOptions {
  /** Fills random masks. Needed where the graph has any. */
  readonly random?: RandomStream;
  /** Variables read instead of others: an average instead of the weights themselves. */
  readonly substitute?: ReadonlyMap<Parameter, Parameter>;
  /** Told the results; where it says no, every variable stays as it is, bit for bit. */
  readonly updatesIf?: (results: Readonly<Record<string, TensorData>>) => boolean;
}

/** Results may be called like inputs, names in a model may not. */
const RESULT_PREFIX = 'result.';
const UPDATE_PREFIX = 'next.';

/**
 * A graph compiled to an ONNX Runtime session. Holds memory outside of JavaScript until `dispose`.
 */
export class Program {
  readonly #session: OpenSession;
  readonly #spec: ProgramSpec;
  readonly #model: EmittedModel;
  readonly #inputs: ReadonlyMap<string, Tensor>;
  readonly #kernels: UpdateKernels;
  readonly #handovers: Readonly<Record<string, Value>>;
  readonly variables: Variables;
  readonly provider: Provider;
  #disposed = false;

  constructor(
    session: OpenSession,
    spec: ProgramSpec,
    model: EmittedModel,
    kernels: UpdateKernels,
    variables: Variables,
    provider: Provider,
  ) {
    this.#session = session;
    this.#spec = spec;
    this.#model = model;
    this.#inputs = new Map(model.inputs.map((leaf) => [leaf.label, leaf]));
    this.#kernels = kernels;
    this.#handovers = handoverValues(kernels, model.shapes);
    this.variables = variables;
    this.provider = provider;
  }

  /** Names, dtypes and shapes of what must be fed (random masks are not). */
  get inputs(): Readonly<Record<string, TensorSpec>> {
    return Object.fromEntries([...this.#inputs].filter(([, leaf]) => keepOf(leaf) === undefined));
  }

  /**
   * Runs once: computes the outputs and applies the updates. Runs on the calling thread, unless compiled to run several
   * times at once.
   *
   * @param feeds every input by name
   * @throws ShapeError when an input is missing, unknown or misshapen
   */
  run(
    feeds: Readonly<Record<string, Feed>> = {},
    options: RunOptions = {},
  ): Promise<Record<string, TensorData>> {
    const alone = (): Promise<Record<string, TensorData>> => this.#run(feeds, options);
    return this.#readsVariables() ? this.variables.exclusively(alone) : alone();
  }

  #readsVariables(): boolean {
    return this.#model.fed.length > 0 || (this.#spec.updates ?? []).length > 0;
  }

  async #run(
    feeds: Readonly<Record<string, Feed>>,
    { random, substitute, updatesIf }: RunOptions,
  ): Promise<Record<string, TensorData>> {
    if (this.#disposed) throw new SwardError('this program was disposed; compile it again');
    for (const name of Object.keys(feeds)) {
      if (!this.#inputs.has(name)) {
        const known = Object.keys(this.inputs).join(', ') || 'none';
        throw new UsageError(`the program has no input "${name}"; its inputs are ${known}`);
      }
    }
    const fed: Record<string, Value> = {};
    for (const [name, leaf] of this.#inputs) {
      const keep = keepOf(leaf);
      const isDrawn = keep !== undefined && feeds[name] === undefined;
      fed[name] = feedValue(name, leaf, isDrawn ? drawnMask(leaf, keep, random) : feeds[name]);
    }
    for (const [parameter] of substitute ?? []) {
      if (!this.#kernels.reaches(parameter)) continue;
      throw new UsageError(`this program updates "${parameter.name}", so that nothing can be read instead`);
    }
    for (const parameter of this.#model.fed) {
      fed[parameter.name] = this.variables.feed(substitute?.get(parameter) ?? parameter);
    }
    const { shapes } = this.#model;
    const written: Record<string, Value> = { ...this.#handovers };
    const results = Object.entries(this.#spec.outputs).map(([name, tensor]): [string, TensorData] => {
      const values = allocate(tensor.dtype, sizeOf(tensor.shape));
      const key = RESULT_PREFIX + name;
      written[key] = runtimeValue({ dtype: tensor.dtype, shape: shapes[key] ?? tensor.shape }, values);
      return [name, { dtype: tensor.dtype, shape: tensor.shape, values }];
    });
    const updates = this.#spec.updates ?? [];
    const swapped = updates.filter(({ variable }) => !this.#kernels.updates(variable));
    for (const { variable } of swapped) {
      const key = UPDATE_PREFIX + variable.name;
      written[key] = this.variables.target(variable).reshape(shapes[key] ?? variable.shape);
    }
    await this.#session.run(fed, written);
    const given = Object.fromEntries(results);
    if (updatesIf?.(given) === false) return given;
    this.#kernels.run();
    for (const { variable } of swapped) this.variables.swap(variable);
    return given;
  }

  /** Gives the session's memory back. Using the program afterwards is an error; disposing twice is not. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#session.leave();
  }
}

const keepOf = ({ origin }: Tensor): number | undefined =>
  origin.kind === 'input' ? origin.keep : undefined;

function drawnMask(leaf: Tensor, keep: number, random: RandomStream | undefined): Uint8Array {
  if (random === undefined) throw new UsageError(`"${leaf.label}" is random; give run a random stream`);
  const stream = random.fork(leaf.label);
  const mask = new Uint8Array(sizeOf(leaf.shape));
  for (let i = 0; i < mask.length; i++) mask[i] = stream.uniform() < keep ? 1 : 0;
  return mask;
}

/**
 * Compiles outputs, and updates of variables, to a program.
 *
 * Constant parameters become initializers: those from a file are read by ONNX Runtime from where they lie.
 * Variable ones are fed from `variables` at every run.
 *
 * @throws UsageError for an unknown provider, or two leaves of one name
 * @throws SwardError when the provider cannot be used, or ONNX Runtime refuses the model
 */
export async function compile(asked: ProgramSpec, options: CompileOptions = {}): Promise<Program> {
  const variables = options.variables ?? new Variables();
  const { threads = environment().threads, precision = 'float32', kernels: byKernels = true } = options;
  const spec =
    precision === 'float32' ? asked : inPrecision(asked, precision, (options.provider ?? 'cpu') === 'cpu');
  const updates = byKernels ? (spec.updates ?? []) : [];
  const kernels = new UpdateKernels(Object.values(spec.outputs), updates, variables);
  const model = await emitProgram(spec, options, variables, kernels);
  const bytes = modelBytes(forRunningInPlace(model.parts));
  const { sessions, atOnce } = options;
  if (atOnce !== undefined && (model.fed.length > 0 || asked.updates !== undefined)) {
    throw new UsageError('a program with variables runs once at a time; leave atOnce out, or freeze them');
  }
  const isInInt8 = options.quantize?.weights === 'int8' || precision === 'int8';
  const { session, provider } = await openOn(options, async (executionProviders) => {
    const how: InferenceSession.SessionOptions = {
      executionProviders,
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
      ...(threads && { intraOpNumThreads: threads }),
      // Planning all buffers of a run as one block takes a fifth more memory where there are updates.
      enableMemPattern: asked.updates === undefined,
      extra: {
        session: {
          model_external_initializers_file_folder_path: LOCATION_ROOT,
          // Only where it must be: the setting turns ONNX Runtime's fast kernel off on every x64 processor.
          ...(isInInt8 && int8ProductsOverflow() && { x64quantprecision: '1' }),
        },
      },
    };
    if (sessions) return sessions.open(bytes, how);
    const apart = atOnce === undefined ? undefined : openInThreads(bytes, how, atOnce);
    return apart ?? openedHere(await InferenceSession.create(bytes, how));
  });
  return new Program(session, spec, model, kernels, variables, provider);
}

/** Microsoft's own operators that ONNX Runtime 1.30 would compute on the CPU, with copies to there and back. */
const LACKING_IN_WEBGPU = ['FusedMatMul'];

/** The program with its products in another precision; outputs and variables keep their dtypes. */
function inPrecision(
  { outputs, updates = [], precise = [] }: ProgramSpec,
  precision: Exclude<Precision, 'float32'>,
  rounded: boolean,
): ProgramSpec {
  const names = Object.keys(outputs);
  const roots = [...Object.values(outputs), ...updates.map(({ next }) => next)];
  const copies =
    precision === 'int8' ? withInt8Products(roots) : autocast(roots, { half: precision, rounded, precise });
  return {
    outputs: Object.fromEntries(names.map((name, index) => [name, copies[index] as Tensor])),
    updates: updates.map(({ variable }, index) => ({
      variable,
      next: copies[names.length + index] as Tensor,
    })),
  };
}

async function emitProgram(
  spec: ProgramSpec,
  { freeze = false, quantize, ...options }: CompileOptions,
  variables: Variables,
  kernels: UpdateKernels,
): Promise<EmittedModel> {
  const updates = spec.updates ?? [];
  const inSession = updates.filter(({ variable }) => !kernels.updates(variable));
  const outputs: Readonly<Record<string, Tensor>> = Object.fromEntries([
    ...Object.entries(spec.outputs).map(([name, tensor]) => [RESULT_PREFIX + name, tensor]),
    ...inSession.map(({ variable, next }) => [UPDATE_PREFIX + variable.name, next]),
    ...kernels.handovers.map(({ name, tensor }) => [name, tensor]),
  ]);
  const updated = new Set(updates.map(({ variable }) => variable));
  const isOnCpu = (options.provider ?? 'cpu') === 'cpu';
  const tiles = options.tiles ?? (isOnCpu && tileSizes());
  const inPlace = initializersInPlace();
  const replacements = quantize && (await quantizedReplacements(Object.values(outputs), quantize));
  const channelBlock = isOnCpu && hasDepthwise(Object.values(outputs)) && (await channelBlockHere());
  return emitModel({
    outputs,
    isFed: (parameter) => updated.has(parameter) || (parameter.variable && !freeze),
    initializer(parameter) {
      const { name, variable, dtype } = parameter;
      const { initial } = parameter.origin;
      const isInPlace = !variable && initial.from === 'file' && initial.dtype === dtype;
      if (isInPlace) return inPlace(name, parameter, initial);
      const values = variable ? variables.values(parameter) : initialValues(parameter);
      return embeddedInitializer(name, parameter, bytesOf(values));
    },
    anyShape: true,
    lacking: options.provider === 'webgpu' ? LACKING_IN_WEBGPU : [],
    ...(tiles && { tiles }),
    ...(channelBlock && { channelBlock }),
    ...(replacements && { replacements }),
  });
}
