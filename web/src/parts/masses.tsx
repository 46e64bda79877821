import { type ByMass, MASS_NAMES, type MassName } from '../../../src/pasture/targets.ts';
import { number, timesInTen } from './words.ts';

export const MASS_WORDS: Readonly<Record<MassName, string>> = {
  green: 'Green grass',
  dead: 'Dead',
  clover: 'Clover',
  gdm: 'Green in all',
  total: 'Total',
};

/** What a mass is made of, as a bar and in numbers. */
export function MassBar({ kgDmPerHa }: { readonly kgDmPerHa: ByMass<number | null> }) {
  const parts = (['green', 'dead', 'clover'] as const).flatMap((mass) => {
    const value = kgDmPerHa[mass];
    return value === null ? [] : [{ mass, value }];
  });
  const sum = parts.reduce((total, { value }) => total + value, 0);
  if (sum === 0) return null;
  return (
    <div>
      <div class="stack" aria-hidden="true">
        {parts.map(({ mass, value }) => (
          <span key={mass} class={`of-${mass}`} style={{ width: `${(100 * value) / sum}%` }} />
        ))}
      </div>
      <ul class="keys">
        {parts.map(({ mass, value }) => (
          <li key={mass}>
            <i class={`of-${mass}`} />
            {MASS_WORDS[mass]} {number(value)}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** All five masses with where they lie. @param coverage of the intervals; null without any */
export function MassTable({
  coverage,
  rows,
}: {
  readonly coverage: number | null;
  readonly rows: ByMass<{ readonly value: number; readonly low?: number; readonly high?: number } | null>;
}) {
  return (
    <table>
      <thead>
        <tr>
          <th>kg DM/ha</th>
          <th class="number">Estimate</th>
          <th class="number">{timesInTen(coverage ?? 0.9)} in 10 between</th>
        </tr>
      </thead>
      <tbody>
        {MASS_NAMES.flatMap((mass) => {
          const row = rows[mass];
          if (!row) return [];
          return [
            <tr key={mass}>
              <td>{MASS_WORDS[mass]}</td>
              <td class="number">{number(row.value)}</td>
              <td class="number">
                {row.low === undefined || row.high === undefined
                  ? '–'
                  : `${number(row.low)} and ${number(row.high)}`}
              </td>
            </tr>,
          ];
        })}
      </tbody>
    </table>
  );
}
