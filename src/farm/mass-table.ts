import { z } from 'zod';
import { byMass, type MassName } from '../pasture/targets.ts';

/** One value for each of the five masses; null for one that a run does not predict or that was not sorted. */
export function massTable<Value extends z.ZodType>(
  value: Value,
): z.ZodObject<Record<MassName, z.ZodNullable<Value>>, z.core.$strict> {
  return z.strictObject(byMass(() => value.nullable()));
}

/** A mass or a mass of an area: never negative. */
export const Mass = z.number().min(0);
