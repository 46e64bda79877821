export { renderSample, type SampleOptions, type SampleSummary } from './sample.ts';
