import { UsageError } from '../../ground/errors.ts';
import { ARCHITECTURES, type PublishedWeights } from '../backbones/index.ts';

/** Published weights of an architecture, as `backbones list --json` shows them. */
export interface CatalogueEntry extends PublishedWeights {
  readonly arch: string;
  /** How timm pools the last features: CLS after the norm, mean of patches or places, or a learned query. */
  readonly pooling: (typeof ARCHITECTURES)[number]['pooling'];
}

/**
 * Every backbone that can be pulled by name. Facts (widths, sizes of pictures, means, interpolation, crops,
 * parameters) are those of timm 1.0.29's pretrained configurations and instantiated models.
 */
export const CATALOGUE: readonly CatalogueEntry[] = ARCHITECTURES.flatMap(({ arch, pooling, weights }) =>
  weights.map((published) => ({ ...published, arch, pooling })),
);

/** Names an error about an unknown one suggests. */
const SUGGESTIONS = 3;

/** The entry of that name; also `timm/NAME`, and a model's name alone where one set of weights has it. */
export function findBackbone(name: string): CatalogueEntry | undefined {
  const bare = name.replace(/^timm\//, '');
  const exact = CATALOGUE.find((entry) => entry.name === bare);
  if (exact !== undefined || bare.includes('.')) return exact;
  const [only, ...others] = CATALOGUE.filter((entry) => entry.name.startsWith(`${bare}.`));
  return others.length === 0 ? only : undefined;
}

/** The error for a name that is none, with the names nearest to it. */
export function unknownBackbone(name: string): UsageError {
  const near = nearestNames(name).join(', ');
  return new UsageError(`unknown backbone "${name}": did you mean ${near}? \`sward backbones list\` has all`);
}

/** The catalogue's names that share most pairs of letters with `name` (Dice's coefficient), best first. */
function nearestNames(name: string): string[] {
  const wanted = pairsOf(name);
  const similarity = (other: string): number => {
    const pairs = pairsOf(other);
    const shared = [...pairs].filter((pair) => wanted.has(pair)).length;
    return (2 * shared) / (pairs.size + wanted.size);
  };
  return ['bundled', ...CATALOGUE.map(({ name }) => name)]
    .map((name) => ({ name, score: similarity(name) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, SUGGESTIONS)
    .map((entry) => entry.name);
}

function pairsOf(text: string): Set<string> {
  const letters = text.toLowerCase();
  return new Set(Array.from({ length: Math.max(0, letters.length - 1) }, (_, i) => letters.slice(i, i + 2)));
}

/** The catalogue's entry whose name a file's name is or begins with: the longest. */
export function catalogueEntryIn(fileName: string): CatalogueEntry | undefined {
  const lower = fileName.toLowerCase();
  const suiting = CATALOGUE.filter((entry) => lower.startsWith(entry.name));
  return suiting.sort((a, b) => b.name.length - a.name.length)[0];
}
