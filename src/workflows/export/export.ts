import { exportForBrowser } from '../../export/browser/export-for-browser.ts';
import { type ExportOptions, type ExportOutcome, exportRun as exportModel } from '../../export/export-run.ts';
import type { ExportTarget } from './targets.ts';

/** Which run is exported, for what, and how. */
export interface ExportRunOptions extends ExportOptions {
  /** Default any program. */
  readonly target?: ExportTarget;
}

/** Writes a finished run as a model that others run. @throws as `exportForBrowser` and the export for programs do */
export function exportRun({ target = 'program', ...options }: ExportRunOptions): Promise<ExportOutcome> {
  return target === 'browser' ? exportForBrowser(options) : exportModel(options);
}
