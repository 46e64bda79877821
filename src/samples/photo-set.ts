/** Photos as files, for estimators that look at the pixels themselves. */
export interface PhotoSet {
  readonly paths: readonly string[];
  /** How views are turned, 0 to 7 (see `ViewRecipe`). Default 0. */
  readonly turn?: number;
}

/** Some photos of a set, in the order of `items`. */
export function takePhotos({ paths, ...rest }: PhotoSet, items: readonly number[]): PhotoSet {
  return { ...rest, paths: items.map((item) => paths[item] as string) };
}
