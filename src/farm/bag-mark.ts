import type { Cut } from './cut.ts';

/** What is written on a cut's bag, the same on all devices: cuts of a visit are told apart by nothing else in the oven. */
export const bagMark = ({ id }: Pick<Cut, 'id'>): string => id.slice(0, 4).toUpperCase();
