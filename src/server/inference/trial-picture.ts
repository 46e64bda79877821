import sharp from 'sharp';
import { type PhotoContent, photoFrom } from '../../vision/photos/index.ts';

/** A green picture, which every run that predicts from photos has an answer to. */
export async function trialPicture(): Promise<PhotoContent> {
  const green = { r: 96, g: 140, b: 60 };
  const file = await sharp({ create: { width: 512, height: 256, channels: 3, background: green } })
    .jpeg()
    .toBuffer();
  return photoFrom('trial', file);
}
