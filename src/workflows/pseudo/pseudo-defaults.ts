/** What holds where options of pseudo-labelling say nothing else. */
export const PSEUDO_DEFAULTS = {
  rounds: 3,
  keep: 0.3,
  weight: 0.5,
  certainty: 'absolute',
  teacher: 'own',
} as const;
