import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../ground/errors.ts';
import { writeFileAtomically } from '../ground/files.ts';
import { readTextIfThere } from '../ground/whole-file.ts';

/** What a run says of the photos that it labelled itself. */
export const PSEUDO = 'pseudo.json';

/** How certain predictions are told from uncertain ones. */
export const CERTAINTIES = ['absolute', 'relative'] as const;
/** One of {@link CERTAINTIES}. */
export type Certainty = (typeof CERTAINTIES)[number];

/** Whose word a fold's students take for the masses of unlabelled photos. */
export const PSEUDO_TEACHERS = ['own', 'all'] as const;
/** One of {@link PSEUDO_TEACHERS}. */
export type PseudoTeacher = (typeof PSEUDO_TEACHERS)[number];

/** Null in JSON of a mass that the runs do not predict (NaN). */
const grams = z
  .number()
  .nullable()
  .transform((mass) => mass ?? Number.NaN);

const masses = z.strictObject({ green: grams, dead: grams, clover: grams, gdm: grams, total: grams });

const recordSchema = z.strictObject({
  keep: z.number(),
  weight: z.number(),
  certainty: z.enum(CERTAINTIES),
  teacher: z.enum(PSEUDO_TEACHERS),
  rounds: z.array(
    z.strictObject({
      /** 0 is the run that labels first. */
      round: z.int(),
      /** Out of fold, over measured photos only. */
      weightedR2: z.number(),
      /** The labels the round was trained with; null in round 0. */
      labels: z
        .strictObject({
          unlabelled: z.int(),
          kept: z.int(),
          meanUncertainty: z.number(),
          largestKeptUncertainty: z.number(),
          /** Mean masses of the photos kept, grams. */
          meanKept: masses,
          /** Mean change of all unlabelled photos' masses since the round before, grams; null at first. */
          meanChange: masses.nullable(),
        })
        .nullable(),
    }),
  ),
});

/** What rounds of self-training did, as `pseudo.json` keeps it. */
export type PseudoRecord = z.output<typeof recordSchema>;
export type PseudoRound = PseudoRecord['rounds'][number];

export async function writePseudoRecord(run: string, record: PseudoRecord): Promise<void> {
  await writeFileAtomically(join(run, PSEUDO), `${JSON.stringify(record, null, 2)}\n`);
}

/** @returns null where the run was not trained by self-training @throws InputError when the file is damaged */
export async function readPseudoRecord(run: string): Promise<PseudoRecord | null> {
  const path = join(run, PSEUDO);
  const text = await readTextIfThere(path);
  if (text === null) return null;
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch {
    throw new InputError(path, 'is damaged', 'run sward pseudo again');
  }
}
