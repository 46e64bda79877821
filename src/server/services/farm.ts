import type { Devices } from '../access/devices.ts';
import type { InferencePool } from '../inference/pool.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Log } from '../observing/log.ts';
import type { Metrics } from '../observing/metrics.ts';
import type { Estimator } from '../photos/estimator.ts';
import type { PhotoMaps } from '../photos/maps.ts';
import type { Uploads } from '../photos/uploads.ts';
import type { RunLibrary } from '../runs/library.ts';
import type { PhoneModels } from '../runs/phone-models.ts';
import type { Database } from '../storage/database.ts';
import type { FarmFolder } from '../storage/farm-folder.ts';
import type { PhotoStore } from '../storage/photo-store.ts';
import type { ServerSettings } from './settings.ts';

/** Everything that requests are answered with. */
export interface Farm {
  readonly settings: ServerSettings;
  readonly folder: FarmFolder;
  readonly db: Database;
  readonly photos: PhotoStore;
  readonly pool: InferencePool;
  readonly runs: RunLibrary;
  readonly phoneModels: PhoneModels;
  readonly estimator: Estimator;
  readonly maps: PhotoMaps;
  readonly uploads: Uploads;
  readonly jobs: Jobs;
  readonly devices: Devices;
  readonly metrics: Metrics;
  readonly log: Log;
}
