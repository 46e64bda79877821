/*
 * What training puts around the names of a network's tensors. Both kinds of files and all that reads them take names
 * through here, so that a wrapper is known everywhere or nowhere.
 */

/**
 * Parts of names that stand for a wrapper and for nothing of the network: DataParallel and AveragedModel, torch.compile,
 * activation checkpointing, FSDP (`_fpw_module` before PyTorch 2), Lightning Fabric and DeepSpeed.
 */
const WRAPPERS: ReadonlySet<string> = new Set([
  'module',
  '_orig_mod',
  '_checkpoint_wrapped_module',
  '_fsdp_wrapped_module',
  '_fpw_module',
  '_forward_module',
]);

/** Counters of averaging, and what modules keep beside their tensors. */
const COUNTERS = /(^|\.)(n_averaged|num_updates|_extra_state)$|^(initted|step|decay)$/;

/** Names of averaged copies; of DINO's two networks the teacher is the average. */
const AVERAGED = /^(teacher|teacher_.+|ema|ema_.+|.+_ema|swa_.+|averaged_model)$/;

/** Whether a part of a name, or a key of a checkpoint, says that what lies below is an average of others. */
export const isAveraged = (part: string): boolean => AVERAGED.test(part);

/** Whether a name, or a prefix of names, belongs to an averaged copy. */
export const hasAveraged = (name: string): boolean => name.split('.').some(isAveraged);

/**
 * Names without the parts that wrappers put anywhere in them, in the order given; counters of averaging are left out.
 * Where two names would become one, both stay as they are.
 *
 * @returns the names as stored, by the name without wrappers
 */
export function withoutWrappers(stored: Iterable<string>): ReadonlyMap<string, string> {
  const names = [...stored].filter((name) => !COUNTERS.test(unwrapped(name)));
  const times = new Map<string, number>();
  for (const name of names) times.set(unwrapped(name), (times.get(unwrapped(name)) ?? 0) + 1);
  return new Map(names.map((name) => [times.get(unwrapped(name)) === 1 ? unwrapped(name) : name, name]));
}

function unwrapped(name: string): string {
  const parts = name.split('.');
  return parts.filter((part, index) => index === parts.length - 1 || !WRAPPERS.has(part)).join('.');
}
