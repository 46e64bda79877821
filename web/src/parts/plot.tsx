import { day, number } from './words.ts';

/** A visit's mean with where it lies, kg DM/ha. */
export interface PlottedVisit {
  readonly at: string;
  readonly mean: number;
  readonly interval: { readonly low: number; readonly high: number } | null;
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [380, 220, 46, 12, 12, 26];

/** What stood in a paddock, visit by visit. */
export function VisitsPlot({ visits }: { readonly visits: readonly PlottedVisit[] }) {
  const ordered = [...visits].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const [first, last] = [ordered[0], ordered.at(-1)];
  if (!first || !last) return null;
  const highest = Math.max(...ordered.map(({ mean, interval }) => interval?.high ?? mean));
  const step = [100, 200, 250, 500, 1000, 2000, 2500, 5000].find((size) => highest / size <= 4) ?? 10_000;
  const top = Math.max(step, Math.ceil(highest / step) * step);
  const [begin, end] = [Date.parse(first.at), Date.parse(last.at)];
  const x = (at: string): number =>
    end === begin
      ? (LEFT + WIDTH - RIGHT) / 2
      : LEFT + 20 + ((Date.parse(at) - begin) / (end - begin)) * (WIDTH - LEFT - RIGHT - 40);
  const y = (value: number): number => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
  const rules = Array.from({ length: Math.round(top / step) + 1 }, (_, index) => index * step);
  const label = ordered
    .map(
      ({ at, mean, interval }) =>
        `${day(at)}: ${number(mean)}${interval ? ` (${number(interval.low)} to ${number(interval.high)})` : ''}`,
    )
    .join('; ');
  return (
    <svg
      class="plot"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`kg DM/ha by visit. ${label}`}
    >
      {rules.map((value) => (
        <g key={value}>
          <line class="rule" x1={LEFT} x2={WIDTH - RIGHT} y1={y(value)} y2={y(value)} />
          <text x={LEFT - 8} y={y(value) + 4} text-anchor="end">
            {number(value)}
          </text>
        </g>
      ))}
      <polyline class="trend" points={ordered.map(({ at, mean }) => `${x(at)},${y(mean)}`).join(' ')} />
      {ordered.map(({ at, mean, interval }) => (
        <g key={at}>
          {interval && (
            <line class="range" x1={x(at)} x2={x(at)} y1={y(interval.low)} y2={y(interval.high)} />
          )}
          <circle class="mean" cx={x(at)} cy={y(mean)} r="5" />
        </g>
      ))}
      <text x={x(first.at)} y={HEIGHT - 6} text-anchor={end === begin ? 'middle' : 'start'}>
        {day(first.at)}
      </text>
      {end !== begin && (
        <text x={x(last.at)} y={HEIGHT - 6} text-anchor="end">
          {day(last.at)}
        </text>
      )}
    </svg>
  );
}
