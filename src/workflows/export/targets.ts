/** What exports are for: any program that runs ONNX models, or sward's own engine in a browser. */
export const EXPORT_TARGETS = ['program', 'browser'] as const;

/** One of {@link EXPORT_TARGETS}. */
export type ExportTarget = (typeof EXPORT_TARGETS)[number];
