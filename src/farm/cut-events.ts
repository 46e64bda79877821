import { messageOf, UsageError } from '../ground/errors.ts';
import { CutEvent, type CutStep } from './cut.ts';
import { afterStep, type CutState, NEW_CUT, STEP_KINDS } from './cut-state.ts';
import { instantOf } from './identity.ts';

/** What was written and has no effect, with why: for a person to put right. */
export interface RefusedEvent {
  readonly id: string;
  readonly message: string;
}

/** A cut as its events tell it. */
export interface CutHistory {
  readonly state: CutState;
  readonly refused: readonly RefusedEvent[];
}

/**
 * What events of one cut, in any order, tell of it. Each step counts as it was last corrected, or not at all where it was
 * last withdrawn, by when that was written down. Steps are taken in the order they were done in; one that cannot follow
 * has no effect and is said to have none: two devices may both have weighed.
 */
export function cutHistory(events: readonly CutEvent[]): CutHistory {
  const refused: RefusedEvent[] = [];
  let state = NEW_CUT;
  for (const { id, step } of stepsInOrder(events, refused)) {
    try {
      state = afterStep(state, step);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      refused.push({ id, message: messageOf(error) });
    }
  }
  return { state, refused };
}

/**
 * The events with one more, in the order they were written down. One that is there already changes nothing.
 *
 * @throws UsageError when it tells of a step that cannot be, amends an event that is not there, or would leave another
 * without effect
 */
export function withEvent(events: readonly CutEvent[], event: CutEvent): CutEvent[] {
  const merged = mergedEvents(events, [event]);
  if (events.some(({ id }) => id === event.id)) return merged;
  const { change } = event;
  const isAmendment = change.kind === 'corrected' || change.kind === 'withdrawn';
  if (isAmendment && !events.some(({ id }) => id === change.event)) {
    throw new UsageError(`event ${change.event} is not of this cut; correct an event that is`);
  }
  const before = new Set(cutHistory(events).refused.map(({ id }) => id));
  const [refusal] = cutHistory(merged).refused.filter(({ id }) => !before.has(id));
  if (!refusal) return merged;
  throw new UsageError(
    refusal.id === event.id
      ? refusal.message
      : `this leaves a later step without ground: ${refusal.message}; withdraw the later step first`,
  );
}

/**
 * All events of one cut that two devices have written, each once, in the order they were written down: the same whichever
 * device's come first, and however often they are put together.
 *
 * @throws UsageError when one id stands for two different events
 */
export function mergedEvents(first: readonly CutEvent[], second: readonly CutEvent[]): CutEvent[] {
  const byId = new Map<string, CutEvent>();
  for (const event of [...first, ...second]) {
    const known = byId.get(event.id);
    if (known && textOf(known) !== textOf(event)) {
      throw new UsageError(`two different events are called ${event.id}; give each an id of its own`);
    }
    if (!known) byId.set(event.id, event);
  }
  return [...byId.values()].sort(byWriting);
}

/** The same text for the same event, whatever order its members were written in. */
const textOf = (event: CutEvent): string => JSON.stringify(CutEvent.parse(event));

function byWriting(a: CutEvent, b: CutEvent): number {
  return instantOf(a.recordedAt) - instantOf(b.recordedAt) || compareText(a.id, b.id);
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

interface Step {
  readonly id: string;
  readonly step: CutStep;
}

function stepsInOrder(events: readonly CutEvent[], refused: RefusedEvent[]): Step[] {
  const steps = new Map<string, Step>();
  const withdrawn = new Set<string>();
  const ordered = [...events].sort(byWriting);
  for (const { id, change } of ordered) {
    if (change.kind !== 'corrected' && change.kind !== 'withdrawn') steps.set(id, { id, step: change });
  }
  // A device's clock may be behind: an amendment stands whether it was written before or after what it amends.
  for (const { id, change } of ordered) {
    if (change.kind === 'withdrawn') withdrawn.add(change.event);
    if (change.kind !== 'corrected') continue;
    const known = steps.get(change.event);
    if (!known) continue;
    if (known.step.kind !== change.step.kind) {
      refused.push({
        id,
        message: `a ${change.step.kind} cannot correct a ${known.step.kind}; withdraw that`,
      });
      continue;
    }
    steps.set(change.event, { id: change.event, step: change.step });
    withdrawn.delete(change.event);
  }
  return [...steps.values()]
    .filter(({ id }) => !withdrawn.has(id))
    .sort(
      (a, b) =>
        instantOf(a.step.at) - instantOf(b.step.at) ||
        STEP_KINDS.indexOf(a.step.kind) - STEP_KINDS.indexOf(b.step.kind) ||
        compareText(a.id, b.id),
    );
}
