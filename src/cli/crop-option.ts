import type { Command } from 'commander';
import { type Crop, parseCrop } from '../workflows/index.ts';

/** What `--crop` said: null of `none`, absent where it was not given. */
export interface CropOption {
  readonly crop?: Crop | null;
}

/** Adds `--crop`. @param standard what holds without it */
export function addCropOption(command: Command, standard = 'none'): Command {
  return command.option(
    '--crop <what>',
    'what of photos counts: auto (the inside of the frame that is found), x,y,w,h, four corners x1,y1,…,x4,y4, or ' +
      `none; default ${standard}`,
    parseCrop,
  );
}
