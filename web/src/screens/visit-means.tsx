import { useEffect, useState } from 'preact/hooks';
import { z } from 'zod';
import { effortAdvice, type Paddock, type Visit, type VisitMean } from '../../../src/farm/index.ts';
import { countOf } from '../../../src/ground/counts.ts';
import { byMass, MASS_NAMES } from '../../../src/pasture/targets.ts';
import { AskAboutAll } from '../parts/ask-about-all.tsx';
import { MASS_WORDS, MassBar, MassTable } from '../parts/masses.tsx';
import { day, number, rounded, timesInTen } from '../parts/words.ts';
import { useApp, useMayRecord } from '../shell/app-context.ts';
import { addressOf } from '../shell/route.ts';
import { askFor } from '../sync/farm-server.ts';
import { leftOutWords } from '../visits/left-out.ts';
import { knownRuns, runInUse, type VisitView, viewVisit } from '../visits/visits.ts';

/** What a visit says of its paddock so far, and what more work would bring. */
export function VisitMeans({
  visit,
  paddock,
  whole = false,
}: {
  readonly visit: Visit;
  readonly paddock: Paddock;
  readonly whole?: boolean;
}) {
  const { store, estimator } = useApp();
  const view = viewVisit(store, visit, paddock, knownRuns(store, estimator.state.value));
  const { total } = view.kgDmPerHa;
  return (
    <section class="card">
      <div class="row spread">
        <h2>{whole ? 'Mean of the paddock' : `${paddock.name}, mean so far`}</h2>
        {!whole && <a href={addressOf('visit', visit.id)}>All of the visit</a>}
      </div>
      {total ? (
        <>
          <div>
            {total.interval && (
              <p>
                Between <strong>{number(total.interval.low)}</strong> and{' '}
                <strong>{number(total.interval.high)}</strong> in {timesInTen(total.interval.coverage)} of 10
                such visits
              </p>
            )}
            <p class="figure">
              {number(total.mean)} <small>kg DM/ha</small>
            </p>
            <p class="quiet">
              {total.source === 'measured' ? 'Measured' : 'Modelled'}: {total.from.join(', ')}
              {view.cuttingHeightCentimetres !== null && `, above ${view.cuttingHeightCentimetres} cm`}.
            </p>
          </div>
          {whole && <Parts view={view} />}
          <p>{total.interval ? view.effort && effortAdvice(view.effort, view.worth) : ONE_FRAME_WORDS}</p>
          <Total view={view} paddock={paddock} />
          {whole && <Worth view={view} />}
        </>
      ) : (
        <ServerMean key={visit.id} visitId={visit.id} photos={view.photos} />
      )}
      <Rest view={view} />
      {whole && total && (
        <details>
          <summary>All masses</summary>
          <div class="scroll">
            <MassTable
              coverage={total.interval?.coverage ?? null}
              rows={byMass((mass) => {
                const mean = view.kgDmPerHa[mass];
                return (
                  mean && {
                    value: mean.mean,
                    ...(mean.interval && { low: mean.interval.low, high: mean.interval.high }),
                  }
                );
              })}
            />
          </div>
          {sourcesOf(view).map((source) => (
            <p key={source} class="quiet">
              {source}
            </p>
          ))}
          <p class="quiet">
            {day(visit.startedAt)}
            {view.run && `, run ${view.run.name}`}
          </p>
        </details>
      )}
    </section>
  );
}

/** A frame has an interval of its own; the paddock it lies in has none by it. */
const ONE_FRAME_WORDS =
  'One frame does not tell how uneven the paddock is: what is said of it above is of that frame alone. ' +
  'One more gives an interval for the paddock; several a mean worth using.';

const lowered = (words: string): string => `${words.charAt(0).toLowerCase()}${words.slice(1)}`;

const fromWords = ({ source, from }: VisitMean): string =>
  `${source === 'measured' ? 'Measured' : 'Modelled'}: ${from.join(', ')}`;

/** What the total is made of, and where that is from where the total is from elsewhere. */
function Parts({ view }: { readonly view: VisitView }) {
  const { total, green } = view.kgDmPerHa;
  return (
    <div>
      <MassBar kgDmPerHa={byMass((mass) => view.kgDmPerHa[mass]?.mean ?? null)} />
      {total && green && fromWords(green) !== fromWords(total) && (
        <p class="quiet">What it is made of is {lowered(fromWords(green))}.</p>
      )}
    </div>
  );
}

/** What each mass is from, those of the same together; none where all are from what the mean is said to be from. */
function sourcesOf({ kgDmPerHa }: VisitView): string[] {
  const groups = new Map<string, string[]>();
  for (const mass of MASS_NAMES) {
    const mean = kgDmPerHa[mass];
    if (!mean) continue;
    const words = fromWords(mean);
    groups.set(words, [...(groups.get(words) ?? []), MASS_WORDS[mass]]);
  }
  return groups.size < 2
    ? []
    : [...groups].map(([words, masses]) => `${masses.join(', ')}: ${lowered(words)}.`);
}

function Total({ view, paddock }: { readonly view: VisitView; readonly paddock: Paddock }) {
  const { paddockTotal: total, hectares } = view;
  const mayRecord = useMayRecord();
  if (!total || !hectares) {
    if (!mayRecord) return null;
    return (
      <p class="quiet">
        <a href={addressOf('paddock', paddock.id)}>Give the paddock's hectares</a> for its total.
      </p>
    );
  }
  return (
    <p>
      <strong>{rounded(total.value)} kg DM</strong> on {Number(hectares.value.toFixed(2))} ha
      {total.low !== undefined &&
        total.high !== undefined &&
        ` (${rounded(total.low)} to ${rounded(total.high)})`}
    </p>
  );
}

const Summary = z.object({
  run: z.object({ name: z.string() }).nullable(),
  kgDmPerHa: z.object({
    total: z
      .object({
        mean: z.number(),
        interval: z.object({ coverage: z.number(), low: z.number(), high: z.number() }).nullable(),
        source: z.string(),
        from: z.array(z.string()),
      })
      .nullable(),
  }),
});

/** What the server says of a visit that this device cannot reckon: estimates are of a run that is not on it. */
function ServerMean({ visitId, photos }: { readonly visitId: string; readonly photos: number }) {
  const { sync } = useApp();
  const [said, setSaid] = useState<z.output<typeof Summary> | null>(null);
  const isPaired = sync.device.value !== null;
  useEffect(() => {
    if (isPaired) void askFor(Summary, `/api/visits/${visitId}/summary`).then(setSaid, () => setSaid(null));
  }, [visitId, isPaired]);
  const total = said?.kgDmPerHa.total;
  if (!total)
    return <p>{photos > 0 ? 'Nothing tells yet how much stands here.' : 'No photo and no cut yet.'}</p>;
  return (
    <div>
      {total.interval && (
        <p>
          Between <strong>{number(total.interval.low)}</strong> and{' '}
          <strong>{number(total.interval.high)}</strong> in {timesInTen(total.interval.coverage)} of 10 such
          visits
        </p>
      )}
      <p class="figure">
        {number(total.mean)} <small>kg DM/ha</small>
      </p>
      <p class="quiet">
        {total.source === 'measured' ? 'Measured' : 'Modelled'}, as the server reckons it:{' '}
        {total.from.join(', ')}.
      </p>
    </div>
  );
}

const WORK_WORDS = {
  'one-more-cut': 'One more cut',
  'ten-more-photos': 'Ten more photos',
  heights: 'Heights of all frames',
} as const;

function Worth({ view }: { readonly view: VisitView }) {
  // What widens the interval first is no advice.
  const helpful = view.worth.filter(({ before, after }) => after < before);
  if (helpful.length === 0) return null;
  return (
    <div>
      <h3>What more work brings</h3>
      <ul>
        {helpful.map(({ work, before, after }) => (
          <li key={work}>
            {WORK_WORDS[work]}: ±{number(before)} becomes ±{number(after)} kg DM/ha
          </li>
        ))}
      </ul>
    </div>
  );
}

/** What is not in the mean, and why. */
function Rest({ view }: { readonly view: VisitView }) {
  const { unfinishedCuts, warnings, run } = view;
  const inUse = runInUse(useApp().store);
  const isOfAnother = run !== null && run.hash !== inUse.hash;
  const notes = [
    ...leftOutWords(view),
    ...(isOfAnother ? [`The run in use, ${inUse.name}, has answered none of these photos.`] : []),
    ...(unfinishedCuts > 0 ? [`${countOf(unfinishedCuts, 'cut')} not weighed dry yet.`] : []),
    ...warnings,
  ];
  if (notes.length === 0) return null;
  return (
    <>
      <ul class="quiet">
        {notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
      {(isOfAnother || view.byOthers > 0) && <AskAboutAll key={inUse.hash} run={inUse} />}
    </>
  );
}
