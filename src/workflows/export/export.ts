import { exportForBrowser } from '../../export/browser/export-for-browser.ts';
import { type ExportOptions, type ExportOutcome, exportRun as exportModel } from '../../export/export-run.ts';

/** What exports are for: any program that runs ONNX models, or sward's own engine in a browser. */
export const EXPORT_TARGETS = ['program', 'browser'] as const;

/** One of {@link EXPORT_TARGETS}. */
export type ExportTarget = (typeof EXPORT_TARGETS)[number];

/** Which run is exported, for what, and how. */
export interface ExportRunOptions extends ExportOptions {
  /** Default any program. */
  readonly target?: ExportTarget;
}

/** Writes a finished run as a model that others run. @throws as `exportForBrowser` and the export for programs do */
export function exportRun({ target = 'program', ...options }: ExportRunOptions): Promise<ExportOutcome> {
  return target === 'browser' ? exportForBrowser(options) : exportModel(options);
}
