import type { Components, Targets } from './targets.ts';

/** How far the published sums may stray from the sums of their parts, in grams (one photo is off by 0.309). */
export const IDENTITY_TOLERANCE_GRAMS = 0.5;

/**
 * The two sums of three sorted fractions: GDM = green + clover, total = GDM + dead. Negative fractions count
 * as 0, so 0 ≤ green ≤ GDM ≤ total holds for any finite input.
 */
export function targetsFromComponents(components: Components): Targets {
  const green = Math.max(0, components.green);
  const dead = Math.max(0, components.dead);
  const clover = Math.max(0, components.clover);
  return { green, dead, clover, gdm: green + clover, total: green + clover + dead };
}

/**
 * The fractions that three nested masses leave: dead = total − GDM, clover = GDM − green. Where the order
 * green ≤ GDM ≤ total is broken the larger sum gives way upwards, so that no fraction is negative.
 */
export function targetsFromNestedMasses(masses: {
  readonly total: number;
  readonly gdm: number;
  readonly green: number;
}): Targets {
  const green = Math.max(0, masses.green);
  const gdm = Math.max(green, masses.gdm);
  const total = Math.max(gdm, masses.total);
  return { green, dead: total - gdm, clover: gdm - green, gdm, total };
}

/** How far each published sum is from the sum of its parts, in grams (published − sum). */
export function identityErrors(targets: Targets): { readonly gdm: number; readonly total: number } {
  return {
    gdm: targets.gdm - (targets.green + targets.clover),
    total: targets.total - (targets.gdm + targets.dead),
  };
}

/** Whether masses are finite, not negative, ordered and within `tolerance` grams of both identities. */
export function isPhysical(targets: Targets, tolerance: number = 1e-9): boolean {
  const { green, dead, clover, gdm, total } = targets;
  const errors = identityErrors(targets);
  return (
    [green, dead, clover, gdm, total].every((mass) => Number.isFinite(mass) && mass >= 0) &&
    green <= gdm + tolerance &&
    gdm <= total + tolerance &&
    Math.abs(errors.gdm) <= tolerance &&
    Math.abs(errors.total) <= tolerance
  );
}
