import type { Grid } from '../../formats/csv.ts';
import { splitSampleId } from '../sample-id.ts';

/** A table of the competition's layout with a column for the mass that `sample_id` names, as photos lie elsewhere. */
export function withComponents(grid: Grid): Grid {
  const [top, ...body] = grid.rows;
  const id = top?.cells.indexOf('sample_id') ?? -1;
  if (!top || id < 0 || !top.cells.includes('target') || top.cells.includes('target_name')) return grid;
  const rows = body.map((row) => {
    const split = splitSampleId(row.cells[id] ?? '');
    const cells = row.cells.map((cell, column) => (column === id && split ? split.imageId : cell));
    const whole = top.cells.map((_, column) => cells[column] ?? '');
    return { ...row, cells: [...whole, split?.target ?? ''] };
  });
  return { ...grid, rows: [{ ...top, cells: [...top.cells, 'target_name'] }, ...rows] };
}
