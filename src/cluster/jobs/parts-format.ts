/** How parts are written: `csv` long, as `predict` writes one file; `parquet` a row a photo. */
export const PARTS_FORMATS = ['csv', 'parquet'] as const;
export type PartsFormat = (typeof PARTS_FORMATS)[number];

/** Whether results are to be written in parts. */
export const isPartsLocation = (out: string): boolean => out.endsWith('/') || out.startsWith('s3://');
