/** Ways to combine members whose weights follow from the data or from nothing. */
export const FITTED_METHODS = ['nnls', 'caruana', 'stacking', 'mean'] as const;
export const METHODS = [...FITTED_METHODS, 'given'] as const;
/** A way to combine members: one of {@link FITTED_METHODS}, or weights that are given. */
export type Method = (typeof METHODS)[number];

/** Between 0.3 and 1, which served sets of four to ten members best, nested, on 282 real photos. */
export const DEFAULT_SHRINK = 0.5;
