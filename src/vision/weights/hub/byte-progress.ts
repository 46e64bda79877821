import type { Progress } from '../../../ground/progress.ts';

const MEGABYTE = 1_000_000;

/** Starts a stage of so many bytes, told in whole megabytes; the returned function hears of bytes that came. */
export function byteStage(progress: Progress, title: string, bytes: number): (came: number) => void {
  const total = Math.max(1, Math.ceil(bytes / MEGABYTE));
  progress.stage(title, total, 'MB');
  let done = 0;
  let told = 0;
  return (came) => {
    done += came;
    const reached = done >= bytes ? total : Math.floor(done / MEGABYTE);
    if (reached > told) progress.advance(reached - told);
    told = Math.max(told, reached);
  };
}
