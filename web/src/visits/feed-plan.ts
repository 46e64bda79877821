import { z } from 'zod';
import {
  adultEquivalent,
  DSE,
  DSE_RATINGS,
  type FeedBudget,
  type Figure,
  feedBudget,
  feedOnOffer,
  type VisitMean,
} from '../../../src/farm/index.ts';
import { messageOf } from '../../../src/ground/errors.ts';
import { typed } from '../parts/typed.ts';
import type { FarmStore } from '../store/farm-store.ts';

const CATTLE = 'steer, 450 kg (1 AE)';
export const ANIMALS: readonly string[] = [...Object.keys(DSE_RATINGS), CATTLE];

/** What is to graze a paddock, as it was typed: nothing is supposed where nobody has said anything. */
const FeedPlan = z.object({
  head: z.string().default(''),
  animal: z.string().default('Merino ewe 50 kg, dry'),
  leave: z.enum(['residual', 'utilisation']).default('residual'),
  residual: z.string().default(''),
  utilisationPercent: z.string().default(''),
  growth: z.string().default(''),
  supplement: z.string().default(''),
});
export type FeedPlan = z.output<typeof FeedPlan>;

const nameOf = (paddockId: string): string => `feed/${paddockId}`;

/** What this device was told of a paddock's grazing. */
export const feedPlanOf = (store: FarmStore, paddockId: string): FeedPlan =>
  FeedPlan.safeParse(store.value(nameOf(paddockId))).data ?? FeedPlan.parse({});

export const keepFeedPlan = (store: FarmStore, paddockId: string, plan: FeedPlan): Promise<void> =>
  store.setValue(nameOf(paddockId), plan);

/** The budget of a plan, or what is still to be said for one, as a sentence. */
export function plannedBudget(
  plan: FeedPlan,
  cuttingHeightCentimetres: number | null,
  total: VisitMean,
  hectares: Figure,
): FeedBudget | string {
  const isCattle = plan.animal === CATTLE;
  const isResidual = plan.leave === 'residual';
  try {
    const head = given(plan.head, 'Animals');
    if (head === null || head === 0) return 'Give the number of animals for the days.';
    const left = isResidual ? given(plan.residual, 'Left standing') : given(plan.utilisationPercent, 'Eaten');
    if (left === null) {
      return isResidual ? 'Give what is to be left standing.' : 'Give the share that is to be eaten.';
    }
    return feedBudget({
      ...feedOnOffer(total, cuttingHeightCentimetres),
      hectares,
      leave: isResidual ? { kind: 'residual', kgDmPerHa: left } : { kind: 'utilisation', share: left / 100 },
      growth: given(plan.growth, 'Growth') ?? 0,
      supplement: given(plan.supplement, 'Fed besides') ?? 0,
      head,
      unitsPerHead: isCattle ? 1 : (DSE_RATINGS[plan.animal as keyof typeof DSE_RATINGS] ?? 1),
      unit: isCattle ? adultEquivalent('moderate') : DSE,
    });
  } catch (error) {
    return messageOf(error);
  }
}

/** A number that was typed; null where the field is empty. @throws Error for what is no number */
function given(text: string, label: string): number | null {
  if (text.trim() === '') return null;
  const value = typed(text);
  if (value === null) throw new Error(`${label}: “${text.trim()}” is not a number.`);
  return value;
}
