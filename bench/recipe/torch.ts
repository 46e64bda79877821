import { join } from 'node:path';
import { AT_ITS_BEST, pythonsWith } from '../yardstick/python.ts';
import { BACKBONE_RATE, BATCH, LORA, RATE, type RecipeCase, THREADS, WEIGHT_DECAY } from './cases.ts';
import { answerOf } from './processes.ts';

/** In bf16 also with a frozen backbone's features kept for all folds by hand, each photo in as many draws as sward has. */
export type TorchWay = 'fp32' | 'bf16' | 'byHand';

/** What PyTorch's side says of a whole fine-tuning. */
export interface TorchFigures {
  /** From the first photo's decoding to the last prediction; importing PyTorch is not part of it. */
  readonly seconds: number;
  /** Training photos that went through, those of all epochs and folds. */
  readonly seen: number;
  readonly peakMib: number;
  readonly predicted: number;
}

/** The Python that has PyTorch, timm and safetensors; null: there is none. */
export function findPython(): string | null {
  const [python = null] = pythonsWith(['torch', 'timm', 'safetensors', 'PIL']);
  return python;
}

/** PyTorch's side of a case. */
export class TorchSide {
  readonly #python: string;
  readonly #weights: string;

  constructor(python: string, weights: string) {
    this.#python = python;
    this.#weights = weights;
  }

  /** @param folds of photos by their paths in the data folder */
  whole(
    own: RecipeCase,
    data: string,
    folds: Readonly<Record<string, number>>,
    way: TorchWay,
  ): Promise<TorchFigures> {
    return this.#run<TorchFigures>({ ...this.#spec(own, way), data, folds });
  }

  /** Losses of the steps that `firstSteps` wrote down. */
  async firstSteps(own: RecipeCase, steps: string, stepCount: number, way: TorchWay): Promise<number[]> {
    return (await this.#run<{ losses: number[] }>({ ...this.#spec(own, way), steps, stepCount })).losses;
  }

  #spec(
    { backbone: { timm, size }, mode, lastBlocks, loraTargets, epochs, draws }: RecipeCase,
    way: TorchWay,
  ) {
    return {
      ...{ timm, size, mode, lastBlocks, loraTargets, epochs, draws, ...LORA },
      ...{ precision: way === 'fp32' ? 'fp32' : 'bf16', byHand: way === 'byHand' },
      ...{ weights: this.#weights, batch: BATCH, threads: THREADS },
      ...{ rate: RATE, backboneRate: BACKBONE_RATE, weightDecay: WEIGHT_DECAY },
    };
  }

  async #run<Answer>(spec: object): Promise<Answer> {
    const script = join(import.meta.dirname, 'torch_recipe.py');
    return answerOf<Answer>(this.#python, script, spec, AT_ITS_BEST);
  }
}
