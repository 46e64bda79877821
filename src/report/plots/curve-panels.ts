import type { MetricLine } from '../../learning/estimator.ts';

/** One figure of learning curves: a metric, with its value on training photos, held-out photos, or both. */
export interface CurvePanel {
  readonly title: string;
  readonly trainingKey: string | null;
  /** Also holds keys that name neither side, such as a learning rate. */
  readonly heldOutKey: string | null;
}

/** More figures than this hide the few that matter. */
const MOST_PANELS = 6;

const STEP_WORDS = ['epoch', 'step', 'iteration', 'round', 'tree', 'trees', 'penalty', 'lambda', 'alpha'];

const TRAINING_WORDS = new Set(['train', 'training', 'fit']);
const HELD_OUT_WORDS = new Set([
  'val',
  'valid',
  'validation',
  'heldout',
  'held',
  'out',
  'test',
  'inner',
  'oof',
]);

/** Words that tell of the machine, not of learning. */
const MACHINE_WORDS = new Set([
  'seconds',
  'ms',
  'milliseconds',
  'time',
  'elapsed',
  'mib',
  'bytes',
  'fold',
  'seed',
]);

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
 * metric together, losses and scores before the rest, six at most.
 */
export function curvePanels(lines: readonly MetricLine[], stepKey: string | null): CurvePanel[] {
  const keys = [...new Set(lines.flatMap((line) => Object.keys(line)))].filter(
    (key) =>
      key !== stepKey && !STEP_WORDS.includes(wordsOf(key).join('')) && isMetric(key) && varies(lines, key),
  );
  const panels = new Map<string, { training: string | null; heldOut: string | null }>();
  for (const key of keys) {
    const words = wordsOf(key);
    const metric = words.filter((word) => !TRAINING_WORDS.has(word) && !HELD_OUT_WORDS.has(word)).join(' ');
    const isTraining = words.some((word) => TRAINING_WORDS.has(word));
    const panel = panels.get(metric) ?? { training: null, heldOut: null };
    const free = isTraining ? panel.training === null : panel.heldOut === null;
    // A second key of the same meaning gets a figure of its own rather than hiding the first.
    if (!free)
      panels.set(key, isTraining ? { training: key, heldOut: null } : { training: null, heldOut: key });
    else panels.set(metric, isTraining ? { ...panel, training: key } : { ...panel, heldOut: key });
  }
  return [...panels]
    .map(([metric, panel]) => ({
      title: titleOf(metric, panel),
      trainingKey: panel.training,
      heldOutKey: panel.heldOut,
    }))
    .sort((a, b) => importanceOf(a.title) - importanceOf(b.title))
    .slice(0, MOST_PANELS);
}

function titleOf(metric: string, panel: { training: string | null; heldOut: string | null }): string {
  if (panel.training !== null && panel.heldOut !== null && metric !== '') return metric;
  return panel.heldOut ?? panel.training ?? metric;
}

function importanceOf(title: string): number {
  const rank = IMPORTANCE.findIndex((pattern) => pattern.test(title));
  return rank === -1 ? IMPORTANCE.length : rank;
}

function isMetric(key: string): boolean {
  return !wordsOf(key).some((word) => MACHINE_WORDS.has(word));
}

function varies(lines: readonly MetricLine[], key: string): boolean {
  const values = lines.flatMap((line) => {
    const value = line[key];
    return value !== undefined && Number.isFinite(value) ? [value] : [];
  });
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
