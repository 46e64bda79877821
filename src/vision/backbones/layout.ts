/** Where tensors with names of one pattern go. */
export interface Rule {
  /** Matched against the name without the layout's prefix. */
  readonly from: RegExp;
  /** timm's name; `$1` … stand for the pattern's groups. */
  readonly to: string;
  /** Place among the tensors that make up the same target. */
  readonly order?: number;
  /** Which rows of the source, given its number of rows; default all. */
  readonly rows?: (rows: number) => readonly [first: number, count: number];
  /** timm has an axis of length 1 in front. */
  readonly leadingOne?: boolean;
  /** Added up with the others of the same target, in place of being joined to them. */
  readonly added?: boolean;
}

/** How another library names and splits the tensors of an architecture (timm's `checkpoint_filter_fn`). */
export interface Layout {
  /** `Hugging Face DINOv2`, in messages. */
  readonly title: string;
  /** Tensors every file of the layout has; the first's name may have a prefix, which all others share. */
  readonly marks: readonly RegExp[];
  readonly rules: (names: ReadonlySet<string>) => readonly Rule[];
  /** Settings in which the library differs from timm where its configuration is silent. */
  readonly defaults?: Readonly<Record<string, unknown>>;
}

/** Tensors of one name, given as a pattern. */
export const plain = (from: string, to: string, more: Omit<Rule, 'from' | 'to'> = {}): Rule => ({
  from: new RegExp(`^${from}$`),
  to,
  ...more,
});

/** Weight and bias alike. */
export function affine(from: string, to: string): Rule {
  const groups = from.match(/\((?!\?)/g) ?? [];
  return plain(`${from}\\.(weight|bias)`, `${to}.$${groups.length + 1}`);
}

/** q, k and v apart, joined in this order. @param from pattern of a letter's name */
export const joinedQkv = (from: (letter: 'q' | 'k' | 'v') => string, to: string): Rule[] =>
  (['q', 'k', 'v'] as const).map((letter, order) => plain(from(letter), to, { order }));

/**
 * Class token and positions of files with register tokens: timm adds the token's position to it, and keeps positions
 * of patches only.
 */
export const withRegisters = (cls: string, positions: string, registers: string): Rule[] => [
  plain(cls, 'cls_token', { order: 0, added: true }),
  plain(positions, 'cls_token', { order: 1, added: true, rows: () => [0, 1] }),
  plain(positions, 'pos_embed', { rows: (rows) => [1, rows - 1] }),
  plain(registers, 'reg_token'),
];

/** Hugging Face's words for q, k and v in older files. */
export const QKV_WORDS = { q: 'query', k: 'key', v: 'value' } as const;

/** A block's number in Meta's repositories; blocks in chunks keep their number in the whole: `blocks.2.17`. */
export const REPOSITORY_BLOCK = 'blocks\\.(?:\\d+\\.)?(\\d+)';

/** What `vision_transformer.py` of `facebookresearch/dinov2` and of `dinov3` have in common. */
export const REPOSITORY_BLOCKS: readonly Rule[] = [
  affine('patch_embed\\.proj', 'patch_embed.proj'),
  affine(`${REPOSITORY_BLOCK}\\.(norm1|norm2)`, 'blocks.$1.$2'),
  plain(`${REPOSITORY_BLOCK}\\.attn\\.qkv\\.weight`, 'blocks.$1.attn.qkv.weight'),
  affine(`${REPOSITORY_BLOCK}\\.attn\\.proj`, 'blocks.$1.attn.proj'),
  affine(`${REPOSITORY_BLOCK}\\.mlp\\.(fc1|fc2)`, 'blocks.$1.mlp.$2'),
  affine(`${REPOSITORY_BLOCK}\\.mlp\\.w3`, 'blocks.$1.mlp.fc2'),
  affine('norm', 'norm'),
];
