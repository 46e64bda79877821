import { rm } from 'node:fs/promises';
import { serveTasks } from '../../ground/children/serve-tasks.ts';
import { configure } from '../../ground/environment.ts';
import type { CheckedRun, RunCheckTask } from './check-task.ts';
import { unpackArchive } from './unpack.ts';

/** What opens runs is most of sward, which an archive that cannot be unpacked needs nothing of. */
const checking = () => import('./check-run.ts');

/** A process that checks a run. */
serveTasks<RunCheckTask, CheckedRun>(async ({ run: given, cache }) => {
  configure({ cacheFolder: cache, rememberPhotos: false });
  if (given.kind === 'folder') {
    const { checkRun, requireSelfContained } = await checking();
    if (!given.isOwn) await requireSelfContained(given.folder);
    return checkRun(given.folder);
  }
  const { archive, into, mostBytes } = given;
  const aside = `${into}.unpacked`;
  try {
    const names = await unpackArchive(archive, aside, mostBytes);
    const { takeUnpackedRun } = await checking();
    await takeUnpackedRun(aside, names, into);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  const { checkRun } = await checking();
  return checkRun(into);
});
