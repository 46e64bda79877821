import { existsSync } from 'node:fs';
import { openSafetensors } from '../../formats/safetensors/index.ts';
import { environment, type HubSettings } from '../../ground/environment.ts';
import { InputError } from '../../ground/errors.ts';
import { placeHere } from '../../ground/moved-files.ts';
import { type Progress, SILENT } from '../../ground/progress.ts';
import { BUNDLED, bundledWeights } from './bundled.ts';
import { type CatalogueEntry, findBackbone, unknownBackbone } from './catalogue.ts';
import type { Configured } from './configure.ts';
import { requireFinite } from './finite.ts';
import { type CachedFile, findCached } from './hub/cache.ts';
import { HubError } from './hub/errors.ts';
import { pullFile, type WantedFile } from './hub/pull.ts';
import { pulledFingerprint } from './known-fingerprints.ts';
import { localWeights } from './local.ts';
import type { WeightsOrigin } from './origin.ts';

/** Weights found and understood. */
export interface ResolvedWeights extends Configured {
  /** A safetensors file with timm's names, to be loaded in place. */
  readonly path: string;
  /** Where they come from: `bundled NAME`, `catalogue NAME`, `hub organisation/name@commit` or `file PATH`. */
  readonly source: string;
  /** SHA-256 of the weights as published or given (before any conversion), hexadecimal. */
  readonly sha256: string;
  /** What stands before the backbone's names in a file that has other parts too. */
  readonly part?: string;
  /** What they were trained further from, where that is known. */
  readonly origin?: WeightsOrigin;
}

export interface ResolveOptions {
  readonly settings?: HubSettings;
  /** Where sward keeps what it can compute again. Default: as configured. */
  readonly cacheFolder?: string;
}

/** A repository of the hub in place of a name: `organisation/name`, with `@revision` where not `main`. */
const REPOSITORY = /^(?<repository>[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*)(?:@(?<revision>[\w.-]+))?$/;

/** Files that say what weights of a repository outside the catalogue are; absent ones are no harm. */
const COMPANIONS = ['config.json', 'preprocessor_config.json'] as const;

/**
 * Finds weights that come with sward (`bundled`), were pulled or lie in a file: a catalogue name
 * (`vit_small_patch14_dinov2.lvd142m`), a hub repository (`facebook/dinov2-small`), or the path of a file of safetensors or PyTorch or a folder that has one.
 * Nothing goes over the network.
 *
 * @throws UsageError for a name that nothing has
 * @throws HubError for one that was not pulled yet
 * @throws InputError for a file that cannot be used
 */
export async function resolveWeights(
  nameOrPath: string,
  options: ResolveOptions = {},
): Promise<ResolvedWeights> {
  const cacheFolder = options.cacheFolder ?? environment().cacheFolder;
  const settings = options.settings ?? environment().hub;
  if (nameOrPath === BUNDLED) return bundledWeights(cacheFolder);
  if (isPath(nameOrPath)) {
    const { layout: _, ...local } = await localWeights(placeHere(nameOrPath), cacheFolder);
    return { ...local, source: `file ${nameOrPath}` };
  }
  const entry = findBackbone(nameOrPath);
  const wanted = entry ?? repositoryFile(nameOrPath);
  const cached = await requireCached(wanted, nameOrPath, settings);
  if (entry?.layout === 'timm') return resolveEntry(entry, cached, cacheFolder);
  const { layout: _, ...local } = await localWeights(cached.path, cacheFolder);
  return { ...local, source: `hub ${wanted.repository}@${cached.commit}` };
}

/**
 * Pulls a catalogue name or a hub repository, and makes sure its weights can be used.
 *
 * @throws UsageError for a name that nothing has
 * @throws HubError where it cannot be had
 * @throws InputError where what came is not weights of a known architecture
 */
export async function pullWeights(
  name: string,
  options: ResolveOptions & { readonly progress?: Progress } = {},
): Promise<ResolvedWeights> {
  if (name === BUNDLED) return resolveWeights(name, options);
  const settings = options.settings ?? environment().hub;
  const entry = findBackbone(name);
  const wanted = entry ?? repositoryFile(name);
  const { repository } = wanted;
  const { commit } = await pullFile(wanted, { settings, progress: options.progress ?? SILENT });
  const companions = entry?.layout === 'timm' ? [] : COMPANIONS;
  for (const file of companions) {
    await pullFile({ repository, revision: commit, file }, { settings }).catch((error) => {
      // Without them the tensors alone tell what they can; what stays open is asked for then.
      if (!(error instanceof HubError)) throw error;
    });
  }
  return resolveWeights(name, { ...options, settings });
}

/** Where a catalogue entry's file lies, if it was pulled. */
export async function pulledPath(
  entry: CatalogueEntry,
  settings: HubSettings = environment().hub,
): Promise<string | undefined> {
  return (await findCached(settings.cacheFolder, entry))?.path;
}

async function resolveEntry(
  entry: CatalogueEntry,
  cached: CachedFile,
  cacheFolder: string,
): Promise<ResolvedWeights> {
  const { arch, config, preprocessing } = entry;
  const sha256 = await pulledFingerprint(await openSafetensors(cached.path), cached.sha256, cacheFolder);
  if (entry.sha256 !== null && sha256 !== entry.sha256) {
    throw new InputError(
      cached.path,
      `is not the file the catalogue knows as ${entry.name}`,
      'pull it again',
    );
  }
  await requireFinite(cached.path, entry, cacheFolder, sha256);
  return { path: cached.path, arch, config, preprocessing, source: `catalogue ${entry.name}`, sha256 };
}

async function requireCached(wanted: WantedFile, name: string, settings: HubSettings): Promise<CachedFile> {
  const cached = await findCached(settings.cacheFolder, wanted);
  if (cached !== undefined) return cached;
  throw new HubError(
    `${name}: not pulled yet (looked in ${settings.cacheFolder}); run \`sward backbones pull ${name}\``,
  );
}

function repositoryFile(name: string): WantedFile {
  const { repository, revision } = REPOSITORY.exec(name)?.groups ?? {};
  if (repository === undefined) throw unknownBackbone(name);
  return { repository, revision: revision ?? 'main', file: 'model.safetensors' };
}

function isPath(text: string): boolean {
  return (
    /\.(safetensors|pth|pt)$|^[./\\]|^[A-Za-z]:[\\/]/.test(text) ||
    (findBackbone(text) === undefined && existsSync(placeHere(text)))
  );
}

/**
 * As {@link resolveWeights}, for a run that was trained with them before.
 *
 * @param trainedWith SHA-256 of the weights it was trained with; absent: any will do
 * @throws InputError when the name now stands for other weights
 */
export async function resolveTrainedWeights(
  nameOrPath: string,
  trainedWith: string | undefined,
): Promise<ResolvedWeights> {
  const weights = await resolveWeights(nameOrPath);
  if (trainedWith === undefined || trainedWith === weights.sha256) return weights;
  throw new InputError(
    weights.path,
    `is not the file the run was trained with (SHA-256 ${trainedWith.slice(0, 12)}…)`,
    'put that file back, or train the run again',
  );
}
