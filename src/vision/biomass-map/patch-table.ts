import { halfBoxes, MAPPED_MASSES, type MassMap, patchMass } from './mass-map.ts';

/** A photo of this size would have edges at whole thousandths; any size gives the same shares. */
const UNIT = 1000;

/**
 * The patches of a map as CSV, one row a patch: its edges as shares of the photo's width and height from the top
 * left, and its masses in grams.
 */
export function patchTable(map: MassMap): string {
  const { rows, columns } = map;
  const lines = halfBoxes(map, UNIT, UNIT).flatMap((box, half) =>
    Array.from({ length: rows * columns }, (_, patch) => {
      const row = Math.floor(patch / columns);
      const column = patch % columns;
      const x = (at: number): number => (box.left + ((box.right - box.left) * at) / columns) / UNIT;
      const y = (at: number): number => (box.top + ((box.bottom - box.top) * at) / rows) / UNIT;
      const edges = [x(column), y(row), x(column + 1), y(row + 1)].map((edge) => edge.toFixed(5));
      const masses = MAPPED_MASSES.map((mass) =>
        Number(patchMass(map, mass, half * rows * columns + patch).toPrecision(6)),
      );
      return [half, row, column, ...edges, ...masses].join(',');
    }),
  );
  const names = MAPPED_MASSES.map((mass) => `${mass}_g`).join(',');
  return `${[`half,row,column,left,top,right,bottom,${names}`, ...lines].join('\n')}\n`;
}
