import { type RandomStream, randomStream } from '../../ground/random.ts';
import type { Pixels } from '../photos/pixels.ts';
import { OPERATIONS, type Outcome } from './operations.ts';
import { type AugmentationSettings, OPERATION_NAMES, type OperationName } from './settings.ts';

/** A picture as augmentation left it. */
export interface Augmented {
  /** The picture given itself where nothing was applied. */
  readonly pixels: Pixels;
  /** What was applied, in order, each in a few words with the values drawn. */
  readonly applied: readonly string[];
}

/**
 * Augments one view: each operation of the settings is applied with its probability and with values drawn from
 * its range, in the order of `OPERATION_NAMES`. The picture given is not changed; width and height can only
 * change places (a quarter turn of a picture that is not square). Same settings, stream and picture give
 * the same result; one number is taken from the stream. Switching one operation on or off leaves the draws of the others as they were.
 */
export function augmentPixels(
  pixels: Pixels,
  settings: AugmentationSettings,
  random: RandomStream,
): Augmented {
  const applied: string[] = [];
  // Forks of the stream itself would be the same for every picture that is drawn from it.
  const own = randomStream(random.integer(2 ** 32));
  const chosen = chosenOperations(settings, own);
  const result = OPERATION_NAMES.filter((name) => chosen.has(name)).reduce((now, name) => {
    const { pixels: next, what } = applyOperation(name, now, settings, own.fork(name));
    applied.push(what);
    return next;
  }, pixels);
  return { pixels: result, applied };
}

function applyOperation<Name extends OperationName>(
  name: Name,
  pixels: Pixels,
  settings: AugmentationSettings,
  random: RandomStream,
): Outcome {
  return OPERATIONS[name](pixels, settings[name], random);
}

function chosenOperations(settings: AugmentationSettings, random: RandomStream): Set<OperationName> {
  const chosen = new Set<OperationName>();
  const grouped = new Set(settings.oneOf.flatMap((group) => group.among));
  for (const name of OPERATION_NAMES) {
    if (grouped.has(name)) continue;
    if (random.fork(`${name} or not`).uniform() < settings[name].probability) chosen.add(name);
  }
  settings.oneOf.forEach(({ probability, among }, index) => {
    const draw = random.fork(`group ${index}`);
    if (draw.uniform() >= probability) return;
    const weights = among.map((name) => settings[name].probability);
    let rest = draw.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
    const member = among.find((_, place) => {
      rest -= weights[place] as number;
      return rest < 0;
    });
    if (member !== undefined) chosen.add(member);
  });
  return chosen;
}
