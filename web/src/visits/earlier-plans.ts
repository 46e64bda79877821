import { z } from 'zod';
import { FeedPlan } from '../../../src/farm/index.ts';
import type { FarmStore } from '../store/farm-store.ts';
import { plannedField, type TypedPlan } from './feed-plan.ts';

/** A plan as a device had it to itself, before plans went with their paddocks: every field as it was typed. */
const EarlierPlan = z.record(z.string(), z.string());

const nameOf = (paddockId: string): string => `feed/${paddockId}`;

/** Fields that say something only beside a number. */
const CHOSEN: readonly string[] = ['animal', 'leave'];

/**
 * Takes over, once, what was planned on this device before plans went with their paddocks. What the farm has of a paddock's
 * plan stands: it is called when that is known.
 */
export async function takeOverEarlierPlans(store: FarmStore): Promise<void> {
  for (const paddock of store.paddocks.value.values()) {
    const earlier = EarlierPlan.safeParse(store.value(nameOf(paddock.id))).data;
    if (!earlier) continue;
    const fields = Object.entries(earlier).filter(([, text]) => text.trim() !== '');
    const isPlanned = Object.keys(FeedPlan.shape).some((key) => paddock[key as keyof FeedPlan] != null);
    if (!isPlanned && fields.some(([key]) => !CHOSEN.includes(key))) {
      const plan = fields.map(([key, text]) => plannedField(key as keyof TypedPlan, text));
      await store.changePaddock(paddock.id, Object.assign({}, ...plan));
    }
    await store.dropValue(nameOf(paddock.id));
  }
}
