/**
 * Makes the run that comes with sward, `runs/starter/`, from the public competition photos:
 *
 *   npx tsx scripts/build-starter.ts [DATA]
 *
 * DATA is a data folder in the competition's layout (default `csiro` in the folder `SWARD_SHARED` names, or in
 * `../shared`). The same photos give the same numbers. Photos and labels are not part of what is written; the folder's
 * LICENSE is the data's own and stays as it is.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { consoleProgress } from '../src/cli/console-progress.ts';
import { environmentFrom } from '../src/cli/environment.ts';
import { configure } from '../src/ground/environment.ts';
import { InputError } from '../src/ground/errors.ts';
import { fileFingerprint } from '../src/ground/fingerprint.ts';
import { makeRecipe } from '../src/recipes/recipe.ts';
import type { Recipe } from '../src/recipes/recipe-schema.ts';
import { shareRun, trainRun } from '../src/workflows/index.ts';

/** It answers with a height and without. */
const SETTINGS = { covariates: ['height'] };

/** More folds than usual: each model sees seven eighths of the visits, and there are more of them to average. */
const PLAN = { folds: 8, seed: 42 };

const ABOUT = {
  what: "sward's starter: a first estimate for temperate pasture, trained on 86 public photos from four Australian States",
  licence: 'CC BY-SA 4.0',
  attribution:
    'Trained on 86 photos of the public training set of CSIRO Image2Biomass Prediction (CSIRO, Meat & Livestock ' +
    'Australia, Google Australia; Liao et al., arXiv 2510.22916), which two public listings state to be CC BY-SA 4.0. ' +
    'The photos were described by sward and its bundled backbone, and kernel ridges were fitted; the photos and the ' +
    'table of their masses are not part of this folder.',
} as const;

configure(environmentFrom(process.env));
const [data = join(process.env.SWARD_SHARED ?? '../shared', 'csiro')] = process.argv.slice(2);
const out = 'runs/starter';
/** Where the program knows the run's manifest by its hash. */
const KNOWN = 'src/runs/bundled-runs.ts';
if (!existsSync(join(out, 'LICENSE'))) {
  throw new InputError(join(out, 'LICENSE'), 'is missing', 'put the text of CC BY-SA 4.0 there');
}
const trained = mkdtempSync(join(tmpdir(), 'sward-starter-'));
try {
  await trainRun({
    source: { kind: 'folder', folder: data, covariates: { method: 'falling-plate' } },
    out: join(trained, 'run'),
    recipe: inHalf(await makeRecipe('photo-stack', SETTINGS)),
    plan: PLAN,
    progress: consoleProgress(),
  });
  const { about } = await shareRun({ run: join(trained, 'run'), out, about: ABOUT, overwrite: true });
  const manifest = await fileFingerprint(join(out, 'run.json'));
  const known = readFileSync(KNOWN, 'utf8');
  writeFileSync(KNOWN, known.replace(/(?<=\[STARTER\]: ')[0-9a-f]{64}/, manifest));
  process.stdout.write(`${out}: weighted R² ${about?.weighted_r2.toFixed(4)} of ${about?.sessions} visits\n`);
} finally {
  rmSync(trained, { recursive: true, force: true });
}

/** The same of kernel averages that are stored in half precision, for the run is to stay small. */
function inHalf(recipe: Recipe): Recipe {
  const { estimator } = recipe;
  if (estimator.kind !== 'stack') throw new RangeError(`${recipe.name} is no stack`);
  const { members, withCovariates } = estimator;
  return {
    ...recipe,
    estimator: {
      ...estimator,
      members: members.map(storedInHalf),
      ...(withCovariates && { withCovariates: { members: withCovariates.members.map(storedInHalf) } }),
    },
  };
}

/** One member of a stack. */
function storedInHalf<Member extends { readonly estimator: object }>(member: Member): Member {
  return { ...member, estimator: { ...member.estimator, stored: 'float16' } };
}
