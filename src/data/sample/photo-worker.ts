/** What a worker thread runs: one photo a task. */
export { runPhotoTask as default } from './photo-task.ts';
