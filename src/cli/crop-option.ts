import type { Command } from 'commander';
import { CROP_FORMS, type Crop, parseCrop } from '../workflows/index.ts';

/** What `--crop` said: null of `none`, absent where it was not given. */
export interface CropOption {
  readonly crop?: Crop | null;
}

/** Adds `--crop`. @param standard what holds without it */
export function addCropOption(command: Command, standard = 'none'): Command {
  // The parser takes null for a value that is missing.
  command.hook('preAction', (_, own) => {
    if (own.getOptionValue('crop') === '') own.setOptionValue('crop', null);
  });
  return command.option(
    '--crop <what>',
    `what of photos counts: ${CROP_FORMS}, or none; auto is the inside of the frame that is found; default ${standard}`,
    parseCrop,
  );
}
