import type { MetricLine } from '../../learning/estimator.ts';

/** One figure of learning curves: a metric, with its value on training photos, held-out photos, or both. */
export interface CurvePanel {
  readonly title: string;
  readonly trainingKey: string | null;
  /** Also holds keys that name neither side, such as a learning rate. */
  readonly heldOutKey: string | null;
}

/** More figures than this hide the few that matter. */
const MOST_PANELS = 8;

const STEP_WORDS = ['epoch', 'step', 'iteration', 'round', 'tree', 'trees', 'penalty', 'lambda', 'alpha'];

const TRAINING = /^(train|training|fit)$/;
const HELD_OUT = /^(val|valid|validation|heldout|held|out|test|inner|oof)$/;

/** Words that tell of the machine, not of learning. */
const MACHINE = /^(seconds|ms|milliseconds|time|elapsed|mib|bytes|fold|seed)$/;

/** What is drawn first: losses, then scores, then errors, then the rest. */
const IMPORTANCE: readonly RegExp[] = [/loss/i, /r2|score/i, /rmse|mae|error|bias/i];

/** The key that counts steps, present in every line; null when there is none and lines are counted instead. */
export function stepKeyOf(lines: readonly MetricLine[]): string | null {
  const shared = Object.keys(lines[0] ?? {}).filter((key) =>
    lines.every((line) => Number.isFinite(line[key])),
  );
  for (const word of STEP_WORDS) {
    const key = shared.find((name) => wordsOf(name).join('') === word || wordsOf(name).at(-1) === word);
    if (key !== undefined) return key;
  }
  return null;
}

/**
 * Which metrics are worth a figure: those that change between lines, training and held-out values of one
 * metric together, losses and scores before the rest, eight at most.
 */
export function curvePanels(lines: readonly MetricLine[], stepKey: string | null): CurvePanel[] {
  const panels = new Map<string, { metric: string; trainingKey: string | null; heldOutKey: string | null }>();
  for (const key of new Set(lines.flatMap((line) => Object.keys(line)))) {
    const words = wordsOf(key);
    const isMetric =
      key !== stepKey && !STEP_WORDS.includes(words.join('')) && !words.some((word) => MACHINE.test(word));
    if (!isMetric || !varies(lines, key)) continue;
    const metric = words.filter((word) => !TRAINING.test(word) && !HELD_OUT.test(word)).join(' ');
    const side = words.some((word) => TRAINING.test(word)) ? 'trainingKey' : 'heldOutKey';
    const panel = panels.get(metric);
    // A second key of the same meaning gets a figure of its own rather than hiding the first.
    const own = { metric, trainingKey: null, heldOutKey: null, [side]: key };
    if (panel && panel[side] !== null) panels.set(key, own);
    else panels.set(metric, panel ? { ...panel, [side]: key } : own);
  }
  return [...panels.values()]
    .map(({ metric, trainingKey, heldOutKey }) => ({
      title: (trainingKey !== null && heldOutKey !== null && metric) || (heldOutKey ?? trainingKey ?? metric),
      trainingKey,
      heldOutKey,
    }))
    .sort((a, b) => importanceOf(a.title) - importanceOf(b.title))
    .slice(0, MOST_PANELS);
}

function importanceOf(title: string): number {
  const rank = IMPORTANCE.findIndex((pattern) => pattern.test(title));
  return rank === -1 ? IMPORTANCE.length : rank;
}

function varies(lines: readonly MetricLine[], key: string): boolean {
  const values = lines.map((line) => line[key] ?? Number.NaN).filter(Number.isFinite);
  return values.some((value) => value !== values[0]);
}

/** `validLoss`, `val_loss` and `valid/loss` are the same two words. */
function wordsOf(key: string): string[] {
  return key
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}
