import { UsageError } from '../../ground/errors.ts';
import type { Matrix } from '../../ground/matrix.ts';
import type { MassMap } from '../../vision/biomass-map/index.ts';
import { FeatureRows } from './feature-rows.ts';
import type { HeadSettings } from './heads.ts';
import type { NetworkModel } from './model-files.ts';
import { MemberProgram, networkInputs } from './predictor.ts';

/**
 * The mean over members of the masses of every patch.
 *
 * @throws UsageError when patches do not make up a square
 */
export async function predictMaps(
  model: NetworkModel,
  inputs: Matrix,
  settings: HeadSettings,
): Promise<MassMap[]> {
  const { halves, parts } = model.shape;
  const side = Math.sqrt(parts);
  if (!Number.isInteger(side)) throw new UsageError(`${parts} patches of a half make up no square map`);
  const rows = new FeatureRows(networkInputs(model, inputs));
  const width = halves * parts * 3;
  const sums = new Float32Array(rows.count * width);
  for (const member of model.members.keys()) {
    const program = await MemberProgram.open(model, member, settings, ({ maps, masses }) => maps ?? masses);
    (await program.run(rows)).forEach((grams, at) => {
      sums[at] = (sums[at] as number) + grams / model.members.length;
    });
    await program.dispose();
  }
  return Array.from({ length: rows.count }, (_, photo) => ({
    halves,
    rows: side,
    columns: side,
    grams: sums.slice(photo * width, (photo + 1) * width),
  }));
}
