import type { Scene } from './scene.ts';

/** A family of descriptors: as many numbers as names, in the same order. */
export interface DescriptorGroup {
  readonly names: readonly string[];
  measure(scene: Scene): number[];
}

/** Every name with every ending: `of(['a', 'b'], ['mean', 'sd'])` is `a.mean, a.sd, b.mean, b.sd`. */
export function namesOf(subjects: readonly string[], endings: readonly string[]): string[] {
  return subjects.flatMap((subject) => endings.map((ending) => `${subject}.${ending}`));
}
