/** What a worker thread does with one photo. */
export { describePhoto as default } from './describe.ts';
