import type { Progress } from '../../ground/progress.ts';
import {
  BUNDLED,
  bundledBackbone,
  CATALOGUE,
  type CatalogueEntry,
  findBackbone,
  LICENCE_NOTES,
  pulledPath,
  pullWeights,
  type ResolvedWeights,
  resolveWeights,
} from '../../vision/weights/index.ts';

/** Which backbones of the catalogue are wanted. */
export interface BackboneListOptions {
  /** Text that their names contain. */
  readonly pattern?: string;
  /** Whether only those are wanted whose weights lie on this machine. */
  readonly pulled?: boolean;
}

/** A backbone of the catalogue, and whether its weights lie on this machine. */
export interface ListedBackbone extends CatalogueEntry {
  readonly pulled: boolean;
  /** The file of the weights; null where they were not pulled. */
  readonly path: string | null;
}

/**
 * The backbone that comes with sward, found by its own name too, and those of the catalogue in its order, with what lies
 * on this machine. Nothing goes over the network.
 */
export async function listBackbones({
  pattern = '',
  pulled = false,
}: BackboneListOptions = {}): Promise<ListedBackbone[]> {
  const named = CATALOGUE.filter(({ name }) => name.includes(pattern));
  const all = await Promise.all(
    named.map(async (entry) => {
      const path = (await pulledPath(entry)) ?? null;
      return { ...entry, pulled: path !== null, path };
    }),
  );
  const bundled = bundledBackbone();
  const isNamed = BUNDLED.includes(pattern) || bundled.weights.includes(pattern);
  const own = isNamed ? [{ ...bundled.entry, pulled: true, path: bundled.path }] : [];
  return [...own, ...(pulled ? all.filter((backbone) => backbone.pulled) : all)];
}

/** Weights that were pulled. */
export interface PulledBackbone {
  readonly weights: ResolvedWeights;
  /** Their licence where the catalogue knows it, with what it means for what is made of them. */
  readonly licence: { readonly name: CatalogueEntry['licence']; readonly note: string } | null;
}

/**
 * Brings the weights of a backbone here from the Hugging Face hub, unless they are here, and makes sure they can be
 * used.
 *
 * @param name in the catalogue, `organisation/name[@revision]` on the hub, or `bundled`, which is here
 * @throws UsageError for a name that nothing has
 * @throws HubError where the hub does not give them
 * @throws InputError where what came is not weights of a known architecture
 */
export async function pullBackbone(
  name: string,
  options: { readonly progress?: Progress } = {},
): Promise<PulledBackbone> {
  const weights = await pullWeights(name, options);
  const licence = (name === BUNDLED ? bundledBackbone().entry : findBackbone(name))?.licence;
  return { weights, licence: licence === undefined ? null : { name: licence, note: LICENCE_NOTES[licence] } };
}

/**
 * Where the weights of a backbone lie, and what is known of them. Nothing goes over the network.
 *
 * @param name in the catalogue, `organisation/name[@revision]`, a file, or `bundled`
 * @throws UsageError for a name that nothing has
 * @throws HubError for one that was not pulled yet
 * @throws InputError for a file that cannot be used
 */
export const backboneWeights = (name: string): Promise<ResolvedWeights> => resolveWeights(name);
