import { InputError, SwardError } from '../../ground/errors.ts';
import type { RandomStream } from '../../ground/random.ts';
import type { MetricLine } from '../../learning/estimator.ts';
import type { Feed, Parameter } from '../../tensor/index.ts';
import type { Weights } from '../inputs/input.ts';
import type { Validation } from '../objectives/objective.ts';
import type { NetworkSettings } from '../settings/network.ts';
import { FRESH_LOOP, type LoopState, LoopStates, type LoopTraining } from './loop-state.ts';
import { rateSchedule } from './optimization.ts';

/** Where the batches of a training come from. */
export interface BatchSource {
  /** Examples to train on. */
  readonly count: number;
  /**
   * What the graph's inputs are fed for some photos. Asked for one batch ahead, so that it may work while a step
   * runs.
   *
   * @param items examples, at least one and at most a batch; the graph's rows beyond them must not count
   * @param random the batch's own stream, for augmentation and mixup
   */
  batch(items: readonly number[], random: RandomStream): Promise<Readonly<Record<string, Feed>>>;
}

/** What of a network's settings decides its loop. */
export type EpochSettings = Pick<
  NetworkSettings,
  'epochs' | 'batch' | 'accumulate' | 'optimizer' | 'schedule' | 'checkpoint'
>;

export interface EpochsSpec {
  readonly training: LoopTraining;
  /** What the model consists of: these are kept, the averages in place of those that have one. */
  readonly parameters: readonly Parameter[];
  readonly source: BatchSource;
  readonly settings: EpochSettings;
  readonly random: RandomStream;
  /** Validates the weights as they would be kept; absent: the last weights are kept. */
  readonly validate?: () => Promise<Validation>;
  /** Receives one line an epoch; those of the time before a kill come again at once. */
  readonly record: (line: MetricLine) => void;
  /** See `FitContext`; all epochs count, though patience may end sooner. */
  readonly onProgress?: (share: number) => void;
  /** Folder of this loop's own for states to resume from. */
  readonly checkpointFolder?: string;
  /** Seconds after which a state is saved within an epoch. Default 30. */
  readonly saveSeconds?: number;
}

/** Saving takes at most this share of the time. */
const SAVING_SHARE = 0.05;

const SAVE_SECONDS = 30;

/**
 * Trains for the settings' number of epochs, or until the score has not risen for the settings' patience: batches
 * in a new seeded order every epoch, the rate by the schedule, a metric line an epoch. Whatever is random is drawn
 * from forks named by epoch and batch, so a resumed training sees what an undisturbed one does and ends with the same
 * bits.
 *
 * @returns the weights of the settings' choice
 * @throws SwardError when the loss is no longer finite
 * @throws InputError when the checkpoint folder holds a damaged state
 */
export async function trainEpochs(spec: EpochsSpec): Promise<Weights> {
  const { checkpointFolder } = spec;
  const states = checkpointFolder === undefined ? undefined : await LoopStates.open(checkpointFolder);
  return new EpochLoop(spec, states).run();
}

class EpochLoop {
  readonly #spec: EpochsSpec;
  readonly #states: LoopStates | undefined;
  #state: LoopState = FRESH_LOOP;
  #kept: Weights | null = null;
  #saved = performance.now();
  #savingTook = 0;

  constructor(spec: EpochsSpec, states: LoopStates | undefined) {
    this.#spec = spec;
    this.#states = states;
  }

  async run(): Promise<Weights> {
    await this.#restore();
    const { settings } = this.#spec;
    while (!this.#state.finished) {
      await this.#validate(await this.#epoch());
      const { patience } = settings.checkpoint;
      const patient = this.#chooses ? patience : null;
      const finished =
        this.#state.epoch === settings.epochs || (patient !== null && this.#state.waited >= patient);
      this.#state = { ...this.#state, finished };
      if (finished) this.#kept ??= this.#weights();
      await this.#save(0);
    }
    return this.#kept ?? this.#weights();
  }

  /** Whether weights are chosen by validation. */
  get #chooses(): boolean {
    return this.#spec.validate !== undefined && this.#spec.settings.checkpoint.choice !== 'last';
  }

  async #restore(): Promise<void> {
    const { training, settings, checkpointFolder } = this.#spec;
    const restored = await this.#states?.restore(training);
    if (!restored) return;
    const { epoch, finished } = restored.state;
    if (epoch > settings.epochs || (epoch === settings.epochs && !finished)) {
      const what = `says that ${epoch} epochs of ${settings.epochs} are done`;
      throw new InputError(checkpointFolder ?? '', what, 'start again with --overwrite');
    }
    this.#state = restored.state;
    this.#kept = restored.kept;
    for (const line of restored.state.lines) this.#spec.record(line);
  }

  /** Runs what is left of the current epoch's batches. @returns the epoch's mean loss and last rate */
  async #epoch(): Promise<{ loss: number; rate: number }> {
    const { training, source, settings, random, saveSeconds = SAVE_SECONDS } = this.#spec;
    if (this.#state.batch === 0) await training.beginEpoch?.(this.#state.lines);
    const own = random.fork(`epoch ${this.#state.epoch}`);
    const order = own.fork('order').shuffled(Array.from({ length: source.count }, (_, item) => item));
    const batches = chunks(order, settings.batch);
    const rate = rateSchedule(settings, batches.length / settings.accumulate);
    const draw = (index: number): ReturnType<BatchSource['batch']> | undefined => {
      const items = batches[index];
      const drawn = items && source.batch(items, own.fork(`batch ${index}`));
      // A failure is met when its turn comes; until then it must not count as unhandled.
      drawn?.catch(() => {});
      return drawn;
    };
    let coming = draw(this.#state.batch);
    while (coming) {
      const feeds = await coming;
      coming = draw(this.#state.batch + 1);
      const { loss } = await training.run(feeds, rate(training.steps, this.#state.losses));
      if (!Number.isFinite(loss)) throw divergence(this.#state.epoch + 1);
      this.#state = {
        ...this.#state,
        batch: this.#state.batch + 1,
        lossSum: this.#state.lossSum + loss,
      };
      this.#spec.onProgress?.((this.#state.epoch + this.#state.batch / batches.length) / settings.epochs);
      await this.#save(saveSeconds);
    }
    const loss = this.#state.lossSum / batches.length;
    return { loss, rate: rate(Math.max(0, training.steps - 1), this.#state.losses) };
  }

  /** Validates the epoch, records its line, and keeps the weights if they are the best so far. */
  async #validate(trained: { readonly loss: number; readonly rate: number }): Promise<void> {
    const { validate, settings, record } = this.#spec;
    const validation = await validate?.();
    const epoch = this.#state.epoch + 1;
    const line = {
      epoch,
      'training loss': trained.loss,
      ...(validation && finiteOnly(validation)),
      'learning rate': trained.rate,
    };
    record(line);
    const state = {
      ...this.#state,
      epoch,
      batch: 0,
      lossSum: 0,
      lines: [...this.#state.lines, line],
      // Where validation photos decide nothing, they do not steer the rate either.
      losses: [...this.#state.losses, (this.#chooses ? validation?.loss : undefined) ?? trained.loss],
    };
    this.#state = state;
    if (!validation || !this.#chooses) return;
    const { score, loss } = validation;
    const value = settings.checkpoint.by === 'score' ? score : -loss;
    const rises = Number.isFinite(score) && score > (state.highest ?? Number.NEGATIVE_INFINITY);
    const isBest = Number.isFinite(value) && value > (state.best ?? Number.NEGATIVE_INFINITY);
    if (isBest) this.#kept = this.#weights();
    this.#state = {
      ...state,
      best: isBest ? value : state.best,
      highest: rises ? score : state.highest,
      waited: rises ? 0 : state.waited + 1,
    };
  }

  /** The model's values as they are now: averages where there are, copied. */
  #weights(): Weights {
    const { training, parameters } = this.#spec;
    return Object.fromEntries(
      parameters.map((parameter) => {
        const { name, dtype, shape } = parameter;
        const values = training.variables.values(training.averages.get(parameter) ?? parameter).slice();
        return [name, { dtype, shape, values }];
      }),
    );
  }

  /** Saves the state when enough time has passed since the last time, and always at the end. */
  async #save(leastSeconds: number): Promise<void> {
    const since = performance.now() - this.#saved;
    const due = since >= Math.max(1000 * leastSeconds, this.#savingTook / SAVING_SHARE);
    if (!this.#states || !(due || this.#state.finished)) return;
    const started = performance.now();
    await this.#states.save(this.#state, this.#spec.training, this.#kept);
    this.#saved = performance.now();
    this.#savingTook = this.#saved - started;
  }
}

function chunks(items: readonly number[], size: number): number[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

/** Validation values as a metric line may hold them. */
function finiteOnly({ line }: Validation): MetricLine {
  return Object.fromEntries(Object.entries(line).filter(([, value]) => Number.isFinite(value)));
}

function divergence(epoch: number): SwardError {
  return new SwardError(
    `training diverged in epoch ${epoch} (the loss is not finite); lower estimator.optimizer.rate or set estimator.clipNorm`,
  );
}
