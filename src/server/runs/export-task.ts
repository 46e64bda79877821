/** A run to be made ready for phones. */
export interface RunExportTask {
  readonly folder: string;
  /** Folder to be made. */
  readonly out: string;
  readonly cache: string;
  /** Of the models with their weights. */
  readonly mostBytes: number;
}
