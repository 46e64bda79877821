import { UsageError } from '../../ground/errors.ts';
import { randomStream } from '../../ground/random.ts';
import { type Parameter, parametersOf } from '../../tensor/index.ts';
import type { Backbone } from '../../vision/backbones/index.ts';
import type { TrainedPart } from '../inputs/input.ts';
import { backboneFeatures, backboneScope, type PhotoBackbone, viewInput } from '../inputs/photos.ts';
import type { FineTuneSettings } from '../settings/fine-tune.ts';

/** What is trained of a network without a backbone of its own. */
export const HEADS_ALONE: TrainedPart = { trains: () => false, rate: 1 };

/**
 * The parts of a backbone in the order in which they are trained; each holds those before it. One where all is
 * trained at once; otherwise first what comes after the last block, then block by block towards the picture, the
 * stem together with the first block.
 *
 * @throws UsageError when the backbone has fewer blocks than are to be trained
 */
export function trainedParts(backbone: Backbone, settings: FineTuneSettings): readonly TrainedPart[] {
  const { mode, unfreeze, backboneRate } = settings;
  if (mode === 'none') return [{ trains: () => false, rate: backboneRate }];
  const { depth } = backbone;
  const lowest = mode === 'last' ? depth - lastBlockCount(backbone, settings.lastBlocks) : -1;
  const firsts = [lowest];
  if (unfreeze.schedule !== 'at-once') {
    firsts.length = 0;
    for (let first = depth; first > Math.max(lowest, 0); first -= unfreeze.blocks) firsts.push(first);
    firsts.push(lowest);
  }
  const last = firsts.length - 1;
  const end = settings.backboneRateAtEnd ?? backboneRate;
  return firsts.map((first, index) => ({
    trains: (name) => isAdapter(name) === (mode === 'lora') && backbone.blockOf(name) >= first,
    rate: last === 0 ? backboneRate : backboneRate + ((end - backboneRate) * index) / last,
  }));
}

/**
 * Which part is trained in the next epoch.
 *
 * @param scores of validation after each epoch so far, higher being better
 * @param parts how many there are
 */
export function partAt(
  scores: readonly number[],
  parts: number,
  { schedule, every }: FineTuneSettings['unfreeze'],
): number {
  if (schedule === 'at-once') return 0;
  if (schedule === 'gradual') return Math.min(Math.floor(scores.length / every), parts - 1);
  let part = 0;
  let best = Number.NEGATIVE_INFINITY;
  let waited = 0;
  for (const score of scores) {
    waited = score > best ? 0 : waited + 1;
    best = Math.max(best, score);
    if (waited < every) continue;
    part += 1;
    waited = 0;
  }
  return Math.min(part, parts - 1);
}

function lastBlockCount({ arch, depth }: Backbone, wanted: number): number {
  const count = wanted < 1 ? Math.max(1, Math.round(wanted * depth)) : wanted;
  if (Number.isInteger(count) && count <= depth) return count;
  throw new UsageError(
    `estimator.fineTune.lastBlocks ${wanted}: ${arch} has ${depth} blocks; give a number of them or a share`,
  );
}

const isAdapter = (name: string): boolean => /(^|\.)lora_[ab]$/.test(name);

/**
 * Makes sure that a backbone can be trained as the settings say.
 *
 * @throws UsageError when it has not those blocks or layers, or they have no part in its features
 */
export function requireTrainable(net: PhotoBackbone, settings: FineTuneSettings): void {
  const part = trainedParts(net.backbone, settings).at(-1);
  const { mode, lora } = settings;
  if (mode === 'none' || part === undefined) return;
  const { arch } = net.backbone;
  const trained = trainedParameters(net, settings, part);
  if (trained.length > 0) {
    if (mode === 'lora') requireRank(arch, lora.rank, trained);
    return;
  }
  throw new UsageError(
    mode === 'lora'
      ? `estimator.fineTune.lora.targets ${lora.targets.join(', ')}: ${arch} has no such linear layers before its features${
          lora.targets.length === 0 ? '' : `; it has ${adaptable(net, settings, part).join(', ') || 'none'}`
        }`
      : `estimator.fineTune.mode ${mode}: no trained part of ${arch} lies before its features (input.blocks)`,
  );
}

function trainedParameters(net: PhotoBackbone, settings: FineTuneSettings, part: TrainedPart): Parameter[] {
  const scope = backboneScope(net, settings, { random: randomStream(0), part });
  const { parts } = backboneFeatures(net, scope, viewInput(net, 1));
  return parametersOf([parts]).filter(({ trainable }) => trainable);
}

/** Ends of the names of all layers that can have adapters, as `lora.targets` gives them. */
function adaptable(net: PhotoBackbone, settings: FineTuneSettings, part: TrainedPart): string[] {
  const all = trainedParameters(net, { ...settings, lora: { ...settings.lora, targets: [] } }, part);
  return [...new Set(all.map(({ name }) => /([a-z]\w*\.)?\w+(?=\.lora_[ab]$)/.exec(name)?.[0] ?? name))];
}

/** @throws UsageError for adapters that are no narrower than a layer, and so are none of low rank */
function requireRank(arch: string, rank: number, adapters: readonly Parameter[]): void {
  const widths = adapters.map(({ name, shape }) => shape[name.endsWith('lora_a') ? 1 : 0] as number);
  const narrowest = Math.min(...widths);
  if (rank <= narrowest) return;
  throw new UsageError(
    `estimator.fineTune.lora.rank ${rank}: the narrowest layer of ${arch} that gets adapters is ${narrowest} wide; give at most that, usually 4 to 64`,
  );
}
