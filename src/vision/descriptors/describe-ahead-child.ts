import { constants, setPriority } from 'node:os';
import { serveTasks } from '../../ground/children/serve-tasks.ts';
import { removeTemporaries } from '../../ground/files.ts';
import type { Photo } from '../photos/index.ts';
import { computeDescriptors } from './compute.ts';

/** Photos whose descriptors somebody will ask for, and where they are remembered. */
export interface DescribeAheadTask {
  readonly photos: readonly Photo[];
  readonly cacheFolder: string;
}

// Threads that are started from here on give way too.
setPriority(constants.priority.PRIORITY_LOW);
// Nothing half written is left when it is ended, as a terminal ends all processes of a command.
process.on('exit', removeTemporaries);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(0));

serveTasks<DescribeAheadTask, null>(async ({ photos, cacheFolder }) => {
  // Whoever asks for them tells what is wrong with a photo.
  await computeDescriptors(photos, { cacheFolder, onError() {} });
  return null;
});
