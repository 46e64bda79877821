import type { Paddock } from '../../src/farm/index.ts';

/** A UUID that ends in a number. */
export const uuid = (number: number): string =>
  `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;

/** A moment so many hours into a day. */
export const hour = (hours: number): string =>
  new Date(Date.UTC(2026, 10, 3) + hours * 3_600_000).toISOString();

/** A paddock of one ring. */
export function paddockOf(ring: readonly (readonly [number, number])[], name = 'Hill'): Paddock {
  return {
    id: uuid(name.length),
    name,
    boundary: { type: 'Polygon', coordinates: [ring.map(([x, y]): [number, number] => [x, y])] },
    hectares: null,
  };
}

/** A closed rectangle from its corners, the way of the clock's hands turned round. */
export function rectangle(west: number, south: number, east: number, north: number): [number, number][] {
  return [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
}
