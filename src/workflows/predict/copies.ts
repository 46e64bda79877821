/** Finds photos whose file is, byte for byte, that of one before, while they come. */
export class Copies {
  readonly #firstWith = new Map<string, string>();
  readonly #found = new Map<string, string>();

  /** Those that were found, by id, with the id of the one before. */
  get found(): ReadonlyMap<string, string> {
    return this.#found;
  }

  /** @param hash SHA-256 of the photo's file */
  add(hash: string, imageId: string): void {
    const first = this.#firstWith.get(hash);
    if (first === undefined) this.#firstWith.set(hash, imageId);
    else this.#found.set(imageId, first);
  }
}
