import {
  adultEquivalent,
  CATTLE,
  DSE,
  DSE_RATINGS,
  type FeedBudget,
  FeedPlan,
  type Figure,
  feedBudget,
  feedOnOffer,
  type VisitMean,
} from '../../../src/farm/index.ts';
import { messageOf } from '../../../src/ground/errors.ts';
import { typed } from '../parts/typed.ts';

/** What is to graze a paddock, as a screen has it in its fields. */
export interface TypedPlan {
  readonly head: string;
  readonly animal: NonNullable<FeedPlan['animal']>;
  readonly leave: NonNullable<FeedPlan['leave']>;
  readonly residual: string;
  readonly utilisationPercent: string;
  readonly growth: string;
  readonly supplement: string;
}

const textOf = (value: number | null | undefined): string => (value == null ? '' : String(value));

/** What a paddock is known to be planned for: nothing is supposed where nobody has said anything. */
export const typedPlan = ({ utilisation, ...plan }: FeedPlan): TypedPlan => ({
  head: textOf(plan.head),
  animal: plan.animal ?? 'Merino ewe 50 kg, dry',
  leave: plan.leave ?? 'residual',
  residual: textOf(plan.residual),
  utilisationPercent: utilisation == null ? '' : String(Number((100 * utilisation).toPrecision(12))),
  growth: textOf(plan.growth),
  supplement: textOf(plan.supplement),
});

/** A field of a plan as the paddock's record has it; null where what was typed is nothing that can be kept. */
export function plannedField(key: keyof TypedPlan, value: string): FeedPlan | null {
  const number = typed(value);
  if (key !== 'animal' && key !== 'leave' && number === null && value.trim() !== '') return null;
  const field =
    key === 'animal' || key === 'leave'
      ? { [key]: value }
      : key === 'utilisationPercent'
        ? { utilisation: number === null ? null : number / 100 }
        : { [key]: number };
  return FeedPlan.safeParse(field).data ?? null;
}

/** The budget of a plan, or what is still to be said for one, as a sentence. */
export function plannedBudget(
  plan: TypedPlan,
  cuttingHeightCentimetres: number | null,
  total: VisitMean,
  hectares: Figure,
): FeedBudget | string {
  const { animal } = plan;
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
      ...(animal === CATTLE
        ? { unitsPerHead: 1, unit: adultEquivalent('moderate') }
        : { unitsPerHead: DSE_RATINGS[animal], unit: DSE }),
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
