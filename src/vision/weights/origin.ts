import { basename } from 'node:path';
import { z } from 'zod';
import { LICENCE_NOTES } from '../backbones/index.ts';
import { CATALOGUE, type CatalogueEntry, findBackbone } from './catalogue.ts';

const LICENCES = Object.keys(LICENCE_NOTES) as (keyof typeof LICENCE_NOTES)[];

/** `origin` of sward's own description of weights. */
export const originSchema = z.object({
  /** As `ResolvedWeights` has it, or the name in the catalogue. */
  source: z.string().min(1),
  sha256: z.string(),
  licence: z.enum(LICENCES).nullable(),
});

/** The published weights that others come from. */
export type WeightsOrigin = z.output<typeof originSchema>;

/**
 * The published weights that these are, or were trained further from, with their licence where the catalogue or the
 * description beside the file knows it.
 */
export function originOf({
  source,
  sha256,
  origin,
}: {
  readonly source: string;
  readonly sha256: string;
  readonly origin?: WeightsOrigin;
}): WeightsOrigin {
  const entry = entryOf(source, sha256);
  if (entry) {
    const stated = source.startsWith('bundled ') ? source : `catalogue ${entry.name}`;
    return { source: stated, sha256, licence: entry.licence };
  }
  // Whoever gets these weights has no use for the folders of whoever made them.
  const file = /^file (.+)$/.exec(source)?.[1];
  return origin ?? { source: file === undefined ? source : `file ${basename(file)}`, sha256, licence: null };
}

function entryOf(source: string, sha256: string): CatalogueEntry | undefined {
  const named = /^(?:catalogue|bundled) (.+)$/.exec(source)?.[1];
  const repository = /^hub (.+)@/.exec(source)?.[1];
  return (
    (named === undefined ? undefined : findBackbone(named)) ??
    CATALOGUE.find((entry) => entry.sha256 === sha256 || entry.repository === repository)
  );
}
