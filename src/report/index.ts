export { type ReportOptions, renderReport, writeReport } from './report.ts';
export { type Thumbnail, type ThumbnailSource, thumbnailsFromDisk } from './sections/thumbnails.ts';
