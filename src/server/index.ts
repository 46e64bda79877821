export { backupFarm } from './care/backup.ts';
export { exportTrainingFolder } from './care/export-labels.ts';
export { restoreFarm } from './care/restore.ts';
export { type VerifiedFarm, verifyFarm } from './care/verify.ts';
export { type RunningServer, startServer } from './serve.ts';
export { DEFAULT_SETTINGS, poolOf, type ServerSettings } from './services/settings.ts';
