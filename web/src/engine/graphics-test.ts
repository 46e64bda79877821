import { targetsToArray } from '../../../src/pasture/targets.ts';
import { areSame, type PortableAnswer, type PortableRun } from '../../../src/portable/portable-run.ts';
import type { Pixels } from '../../../src/vision/photos/pixels.ts';
import { GraphicsError } from './graphics-chip.ts';

/** How long a photo's models take, seconds. */
export interface GraphicsSeconds {
  readonly with: number;
  readonly without: number;
}

const mirrored = ({ width, height, data }: Pixels): Pixels => {
  const pixel = (at: number): number => at - (at % width) + (width - 1 - (at % width));
  return { width, height, data: data.map((_, at) => data[3 * pixel(Math.floor(at / 3)) + (at % 3)] ?? 0) };
};

const darker = ({ data, ...size }: Pixels): Pixels => ({ ...size, data: data.map((level) => level / 2) });

/** What the stored picture is changed into; WebAssembly, which answered that one as stored, says what is right. */
const VARIATIONS = [mirrored, darker] as const;

/**
 * Asks a run that computes on the graphics chip about the stored picture and what that is changed into.
 *
 * @param plain the same run by WebAssembly, which was tested
 * @param quietly does work in a time that nothing else takes, so that it can be timed
 * @throws GraphicsError where it answers otherwise: masses, or those of a fold, off by more than half a percent and 0.05 g
 */
export async function testGraphics(
  chip: PortableRun,
  plain: PortableRun,
  quietly: <Result>(work: () => Promise<Result>) => Promise<Result>,
): Promise<GraphicsSeconds> {
  const picture = await plain.testPicture();
  // The first makes the chip's programs, which takes long.
  const first = await chip.predict(photoOf(picture));
  requireSame([first.prediction.targets], [plain.model.self_test.masses]);
  const seconds: GraphicsSeconds[] = [];
  for (const change of VARIATIONS) {
    const photo = photoOf(change(picture));
    const [own, its] = await quietly(async () => [
      await timed(() => plain.predict(photo)),
      await timed(() => chip.predict(photo)),
    ]);
    requireSame(spoken(its.answer), spoken(own.answer).map(targetsToArray));
    seconds.push({ with: its.seconds, without: own.seconds });
    if (its.seconds > HOPELESS * own.seconds) break;
  }
  return {
    with: Math.min(...seconds.map((one) => one.with)),
    without: Math.min(...seconds.map(({ without }) => without)),
  };
}

/** What takes so many times longer is not asked once more. */
const HOPELESS = 2;

const photoOf = (pixels: Pixels) => ({ name: 'self-test', pixels, sha256: null });

type Masses = PortableAnswer['prediction']['targets'];

/** The masses, and those of each fold, which intervals go by. */
const spoken = ({ prediction: { targets, folds } }: PortableAnswer): Masses[] => [targets, ...folds];

function requireSame(said: readonly Masses[], expected: readonly (readonly (number | null)[])[]): void {
  if (said.every((masses, at) => areSame(targetsToArray(masses), expected[at] ?? []))) return;
  throw new GraphicsError('it computes otherwise than sward does');
}

async function timed(work: () => Promise<PortableAnswer>) {
  const start = performance.now();
  const answer = await work();
  return { answer, seconds: (performance.now() - start) / 1000 };
}
