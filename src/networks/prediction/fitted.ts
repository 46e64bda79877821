import { UsageError } from '../../ground/errors.ts';
import { type FittedModel, fittedModel } from '../../learning/estimator.ts';
import { countOfAll } from '../../pasture/covariates.ts';
import { targetsFromComponents } from '../../pasture/physics.ts';
import type { Targets } from '../../pasture/targets.ts';
import type { Tensor } from '../../tensor/index.ts';
import { physicalMasses } from '../heads/heads.ts';
import type { Heads } from '../heads/masses.ts';
import type { NetworkSettings } from '../settings/network.ts';
import type { NetworkModel } from './model-files.ts';
import { NetworkProgram, type TrainedInput } from './program.ts';

/** A trained network as a model: what its members say, averaged. Programs for masses stay compiled until released. */
export function fittedNetwork(
  model: NetworkModel,
  settings: NetworkSettings,
  input: TrainedInput,
  { write, graph }: { write: FittedModel['write']; readonly graph?: FittedModel['graph'] },
): FittedModel {
  const { architecture } = settings;
  const { members } = model;
  const open = (member: number, output: (heads: Heads) => Tensor, dropout = false): NetworkProgram =>
    NetworkProgram.open(input, members[member] ?? {}, settings, output, dropout);
  let opened: NetworkProgram[] | undefined;
  return fittedModel({
    async predict(samples) {
      opened ??= [...members.keys()].map((member) => open(member, ({ masses }) => masses));
      const said: Targets[][] = [];
      for (const program of opened) {
        said.push(physicalMasses(await program.run(samples), architecture));
      }
      return (said[0] ?? []).map((_, photo) => meanOf(said.map((member) => member[photo] as Targets)));
    },
    ...(hasDropout(settings) && {
      // Members take turns.
      async sampleDropout(samples, draws, random, first = []) {
        const drawn = new Array<Targets[]>(draws);
        for (const member of members.keys()) {
          const program = open(member, ({ masses }) => masses, true);
          try {
            for (let draw = member; draw < draws; draw += members.length) {
              drawn[draw] = physicalMasses(
                await program.run(samples, random.fork(draw), countOfAll(first)),
                architecture,
              );
            }
          } finally {
            await program.dispose();
          }
        }
        return drawn;
      },
    }),
    ...(architecture.kind === 'density' && {
      async maps(samples) {
        const { halves, parts } = model.shape;
        const side = Math.sqrt(parts);
        if (!Number.isInteger(side)) throw new UsageError(`${parts} patches of a half make up no square map`);
        const width = halves * parts * 3;
        const sums = new Float32Array(samples.count * width);
        for (const member of members.keys()) {
          const program = open(member, ({ maps, masses }) => maps ?? masses);
          try {
            (await program.run(samples)).forEach((grams, at) => {
              sums[at] = (sums[at] as number) + grams / members.length;
            });
          } finally {
            await program.dispose();
          }
        }
        return samples.facts.map((_, photo) => ({
          halves,
          rows: side,
          columns: side,
          grams: sums.slice(photo * width, (photo + 1) * width),
        }));
      },
    }),
    ...(graph && { graph }),
    write,
    async release() {
      const programs = opened ?? [];
      opened = undefined;
      for (const program of programs) await program.dispose();
    },
  });
}

/** Whether a network leaves anything to chance that can be left on in prediction: in its heads or its backbone. */
function hasDropout({ architecture, fineTune }: NetworkSettings): boolean {
  const { mode, dropPath, lora } = fineTune;
  const inHeads = architecture.dropout > 0 || (architecture.kind === 'mlp' && architecture.inputDropout > 0);
  const inBackbone = mode !== 'none' && (dropPath > 0 || (mode === 'lora' && lora.dropout > 0));
  return inHeads || inBackbone;
}

/** The mean of physical masses, which is physical. */
function meanOf(predictions: readonly Targets[]): Targets {
  const [first] = predictions;
  if (first && predictions.length === 1) return first;
  const mean = (of: (masses: Targets) => number): number =>
    predictions.reduce((sum, masses) => sum + of(masses), 0) / predictions.length;
  return targetsFromComponents({
    green: mean((masses) => masses.green),
    dead: mean((masses) => masses.dead),
    clover: mean((masses) => masses.clover),
  });
}
