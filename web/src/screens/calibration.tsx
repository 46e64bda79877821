import { useState } from 'preact/hooks';
import { z } from 'zod';
import { type AnsweringRun, Calibration, heightsOf, heightWords } from '../../../src/farm/index.ts';
import { countOf } from '../../../src/ground/counts.ts';
import { AskAboutAll } from '../parts/ask-about-all.tsx';
import { Choices } from '../parts/fields.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { biasWords, number } from '../parts/words.ts';
import { useWork } from '../parts/work.ts';
import { useApp } from '../shell/app-context.ts';
import { askFor, ServerRefusal, sendJson } from '../sync/farm-server.ts';
import {
  appliedCalibration,
  calibrationHere,
  calibrationPairs,
  knownRuns,
  photographedCuts,
} from '../visits/visits.ts';

const STATE_WORDS: Readonly<Record<Calibration['state'], string>> = {
  'report-only': 'Not applied: too few cuts',
  provisional: 'Not applied yet: cuts of one visit only',
  'no-better': 'Not applied: it does not help',
  applied: 'In use',
};

/** How a run's estimates are corrected by the farm's own cuts, and whether they are. */
export function CalibrationScreen() {
  const { store, estimator, sync } = useApp();
  const [asked, setAsked] = useState<number | null>(null);
  const [refusal, setRefusal] = useState<string | null>(null);
  const { run: work, problem, isRunning } = useWork();
  const run = knownRuns(store, estimator.state.value)[0] ?? null;
  const made = run && calibrationHere(store, run, asked);
  const heights = run ? heightsOf(calibrationPairs(store, run)) : [];
  const current = run && appliedCalibration(store, run);
  // What the server made of the same cuts is not shown twice.
  const isTheSame = sync.device.value !== null && made !== null && current?.says === made.says;
  const isOwner = sync.device.value?.role === 'owner';
  const isPaired = sync.device.value !== null;
  const make = (replacesApplied: boolean): void =>
    void work(async () => {
      setRefusal(null);
      const body = {
        id: crypto.randomUUID(),
        ...(asked !== null && { cuttingHeightCentimetres: asked }),
        replacesApplied,
      };
      try {
        await askFor(z.object({ calibration: Calibration }), '/api/calibrations', sendJson('POST', body));
      } catch (error) {
        if (!(error instanceof ServerRefusal && error.code === 'replaces-applied')) throw error;
        return setRefusal(error.message);
      }
      await sync.now();
    });
  return (
    <Page title="Calibration" back="#/cuts">
      <p class="narrow">
        Cuts of photographed frames tell how this farm's pasture differs from what the run was trained on. A
        correction is used only if visits that had no part in it come out nearer with it.
      </p>
      {heights.length === 1 && (
        <p class="narrow">All cuts are at {heightWords(heights[0]?.centimetres ?? 0)}.</p>
      )}
      {made && heights.length > 1 && (
        <div class="narrow">
          <Choices
            legend="By the cuts at"
            choices={Object.fromEntries(
              heights.map(({ centimetres, cuts }) => [
                String(centimetres),
                `${heightWords(centimetres)} (${countOf(cuts, 'cut')})`,
              ]),
            )}
            value={String(made.cuttingHeightCentimetres)}
            onValue={(height) => {
              setAsked(Number(height));
              setRefusal(null);
            }}
          />
        </div>
      )}
      {!run && <p class="quiet">The run is not open yet.</p>}
      {run && <Missing run={run} />}
      {made && !isTheSame && (
        <Shown
          calibration={made}
          isInUse={!isPaired && made.state === 'applied'}
          words={
            isPaired
              ? 'What the cuts on this device would give; nothing is corrected by it until it is made on the server'
              : 'By the cuts on this device'
          }
        />
      )}
      {isPaired && current && (
        <Shown
          calibration={current}
          isInUse={current.state === 'applied'}
          words="The farm’s, as the server made it last"
        />
      )}
      {isPaired && isOwner && (
        <button type="button" disabled={isRunning} onClick={() => make(false)}>
          Calibrate the farm's run on the server
        </button>
      )}
      {refusal !== null && (
        <div class="card narrow" role="alert">
          <p class="warn">{refusal}</p>
          <button type="button" disabled={isRunning} onClick={() => make(true)}>
            Correct nothing from now on
          </button>
        </div>
      )}
      {isPaired && !isOwner && <p class="quiet">Owners make it the farm's, on their device.</p>}
      <Problem of={problem} />
    </Page>
  );
}

/** What cuts the run has not answered the photos of, and what is to be done about it. */
function Missing({ run }: { readonly run: AnsweringRun }) {
  const { dry, answered } = photographedCuts(useApp().store, run);
  if (dry === 0)
    return (
      <p class="card">No dry cut of a photographed frame yet. Five are needed for a first correction.</p>
    );
  if (answered === dry || run.errors.photo.total === null) return null;
  return (
    <section class="card narrow">
      <p>
        Run {run.name} has answered {answered === 0 ? 'none' : `${answered} alone`} of the photos of{' '}
        {countOf(dry, 'dry cut')}; those that it has not answered cannot correct it.
      </p>
      <AskAboutAll run={run} />
    </section>
  );
}

interface ShownProps {
  readonly calibration: Calibration;
  /** Whether estimates are corrected by it now. */
  readonly isInUse: boolean;
  readonly words: string;
}

function Shown({ calibration, isInUse, words }: ShownProps) {
  const { state, before, after, offset, slope, cuts, visits, says, run, cutsOfOtherHeights } = calibration;
  return (
    <section class="card narrow">
      <div>
        <p class="quiet">{words}</p>
        <h2>{state === 'applied' && !isInUse ? 'It would help' : STATE_WORDS[state]}</h2>
      </div>
      {/* Numbers are written as everywhere else on the screen. */}
      <p>{says.replace(/\b\d{4,}\b/g, (digits) => number(Number(digits)))}</p>
      {after && (
        <p class="quiet">
          After: each visit corrected by the cuts of the others, as if it had not been seen.
        </p>
      )}
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>kg DM/ha</th>
              <th class="number">Before</th>
              <th class="number">After</th>
            </tr>
          </thead>
          <tbody>
            <tr>
              <td>Off by, usually</td>
              <td class="number">{before ? number(before.rmse) : '–'}</td>
              <td class="number">{after ? number(after.rmse) : '–'}</td>
            </tr>
            <tr>
              <td>On average</td>
              <td class="number">{before ? biasWords(before.bias) : '–'}</td>
              <td class="number">{after ? biasWords(after.bias) : '–'}</td>
            </tr>
          </tbody>
        </table>
      </div>
      <p class="quiet">
        {countOf(cuts, 'cut')} of {countOf(visits, 'visit')}
        {cutsOfOtherHeights > 0 && `, ${countOf(cutsOfOtherHeights, 'cut')} of other heights left out`}, run{' '}
        {run.name}.{state === 'applied' && ` Corrected: ${number(offset)} + ${slope.toFixed(2)} × estimate.`}
      </p>
    </section>
  );
}
