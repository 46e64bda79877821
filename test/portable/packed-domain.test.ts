import { expect, it } from 'vitest';
import { packDomain, unpackDomain } from '../../src/portable/packed-domain.ts';
import { fitDomain, outOfDomainShares } from '../../src/runs/domain/index.ts';

const matrix = (rows: number, columns: number) => ({
  rows,
  columns,
  data: Float64Array.from({ length: rows * columns }, (_, at) => Math.sin(at * 1.7) * ((at % columns) + 1)),
});

it.each([
  ['one feature set', 7, false],
  ['feature sets that count alike', 8, true],
])('a record of training photos is the same after it was packed: %s', (_, columns, isSeveral) => {
  const sets = [
    { name: 'a', columns: 2 },
    { name: 'b', columns: columns - 2 },
  ];
  const inputs = { ...matrix(12, columns), ...(isSeveral && { sets }) };
  const domain = fitDomain(
    inputs,
    Array.from({ length: 12 }, (_, row) => String(row % 4)),
  );
  const { layout, bytes } = packDomain(domain);
  expect(layout.weighted).toBe(isSeveral);
  const again = unpackDomain(layout, bytes);
  expect(again.mean).toEqual(domain.mean);
  expect(again.weights).toEqual(domain.weights);
  expect(again.reference).toEqual(domain.reference);
  const strange = matrix(5, columns);
  expect(outOfDomainShares(again, strange)).toEqual(outOfDomainShares(domain, strange));
});
