import { copyFile, link, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../../ground/errors.ts';
import { makeFolder, replaceFolder, writeFileAtomically } from '../../ground/files.ts';
import { readText, reasonOf } from '../../ground/whole-file.ts';
import type { MetricLine } from '../../learning/estimator.ts';
import { loadTensors, saveTensors, type Training } from '../../tensor/index.ts';
import type { Weights } from '../inputs/input.ts';

/** A training as the loop uses it: `Training`, or one that trains more of a model as it goes on. */
export interface LoopTraining
  extends Pick<Training, 'run' | 'steps' | 'variables' | 'averages' | 'save' | 'restore'> {
  /** Told before each epoch what the epochs so far have recorded. */
  beginEpoch?(lines: readonly MetricLine[]): Promise<void>;
}

const loopStateSchema = z.strictObject({
  /** Epochs done. */
  epoch: z.int().min(0),
  /** Batches done of the next epoch, and the sum of their losses. */
  batch: z.int().min(0),
  lossSum: z.number(),
  /** What has been recorded. */
  lines: z.array(z.record(z.string(), z.number())),
  /** Losses that a plateau is found in, an epoch each. */
  losses: z.array(z.number()),
  /** What the weights kept so far were chosen by; null: none chosen. */
  best: z.number().nullable(),
  /** The highest score and the epochs since. */
  highest: z.number().nullable(),
  waited: z.int().min(0),
  finished: z.boolean(),
});

/** Where a training loop stands, besides the tensors. */
export type LoopState = z.output<typeof loopStateSchema>;

export const FRESH_LOOP: LoopState = {
  epoch: 0,
  batch: 0,
  lossSum: 0,
  lines: [],
  losses: [],
  best: null,
  highest: null,
  waited: 0,
  finished: false,
};

const LOOP = 'loop.json';
const TRAINING = 'training.safetensors';
const KEPT = 'kept.safetensors';

/**
 * The saved states of a training loop in a folder of its own: one folder a state, which appears whole under the next
 * number before the one before it goes. A kill at any moment leaves at least one.
 */
export class LoopStates {
  readonly #folder: string;
  #current: string | undefined;
  /** The kept weights that the current state's file holds. */
  #written: Weights | undefined;

  private constructor(folder: string, current: string | undefined) {
    this.#folder = folder;
    this.#current = current;
  }

  /** Opens the folder, which need not be there, and clears away what a kill has left. */
  static async open(folder: string): Promise<LoopStates> {
    await makeFolder(folder);
    const names = await readdir(folder);
    const states = names.filter((name) => /^state-\d+$/.test(name)).sort((a, b) => numberOf(a) - numberOf(b));
    const latest = states.pop();
    const leftovers = [...states, ...names.filter((name) => name.endsWith('.part'))];
    for (const name of leftovers) await rm(join(folder, name), { recursive: true });
    return new LoopStates(folder, latest);
  }

  /**
   * The latest state, with the kept weights where some are. The training's tensors go into `training`.
   *
   * @returns null where nothing was saved
   * @throws InputError for a damaged state
   */
  async restore(training: LoopTraining): Promise<{ state: LoopState; kept: Weights | null } | null> {
    if (this.#current === undefined) return null;
    const folder = join(this.#folder, this.#current);
    const state = await readLoopState(join(folder, LOOP));
    if (!state.finished) await training.restore(join(folder, TRAINING));
    const names = await readdir(folder);
    const kept = names.includes(KEPT) ? (await loadTensors(join(folder, KEPT))).tensors : null;
    this.#written = kept ?? undefined;
    return { state, kept };
  }

  /** Saves a state and removes the one before it. A finished one needs the kept weights only. */
  async save(state: LoopState, training: LoopTraining, kept: Weights | null): Promise<void> {
    const previous = this.#current;
    const name = `state-${previous === undefined ? 0 : numberOf(previous) + 1}`;
    await replaceFolder(join(this.#folder, name), async (aside) => {
      if (!state.finished) await training.save(join(aside, TRAINING));
      if (kept && kept === this.#written && previous !== undefined) {
        await sameFile(join(this.#folder, previous, KEPT), join(aside, KEPT));
      } else if (kept) {
        await saveTensors(join(aside, KEPT), kept);
        this.#written = kept;
      }
      await writeFileAtomically(join(aside, LOOP), JSON.stringify(state));
    });
    this.#current = name;
    if (previous !== undefined) await rm(join(this.#folder, previous), { recursive: true });
  }
}

const numberOf = (name: string): number => Number(name.slice(name.indexOf('-') + 1));

async function readLoopState(path: string): Promise<LoopState> {
  try {
    return loopStateSchema.parse(JSON.parse(await readText(path)));
  } catch (error) {
    const what = `cannot be read as a training state (${reasonOf(error)})`;
    throw new InputError(path, what, 'start again with --overwrite');
  }
}

/** One file under a second name; a copy where the disk knows no hard links. */
async function sameFile(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch {
    await copyFile(from, to);
  }
}
