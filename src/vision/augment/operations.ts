import type { RandomStream } from '../../ground/random.ts';
import type { Pixels } from '../photos/pixels.ts';
import { gaussianBlurred, motionBlurred } from './blur.ts';
import {
  brightened,
  saturated,
  scaledAndLifted,
  shiftedInHsv,
  withContrast,
  withHueTurned,
} from './colour.ts';
import { drawDateStamp, withDateStamp } from './date-stamp.ts';
import { horizontalFlip, placed, quarterTurned, shrunkOnCanvas, verticalFlip } from './geometry.ts';
import { withoutDateStamp, withoutRedDots } from './mark-removal.ts';
import { withHoles, withNoise } from './noise.ts';
import { drawRedDots, withRedDots } from './red-dots.ts';
import type { AugmentationSettings, OperationName } from './settings.ts';

/** What an operation made of a picture, and in a few words what it drew. */
export interface Outcome {
  readonly pixels: Pixels;
  readonly what: string;
}

/** Draws its values from the settings' ranges and applies them. It never changes the picture it is given. */
export type Operation<Name extends OperationName> = (
  pixels: Pixels,
  settings: AugmentationSettings[Name],
  random: RandomStream,
) => Outcome;

/** Every operation by name. */
export const OPERATIONS: { readonly [Name in OperationName]: Operation<Name> } = {
  dateStampRemoval: (pixels) => {
    const clean = withoutDateStamp(pixels);
    return { pixels: clean, what: clean === pixels ? 'no date stamp found' : 'date stamp removed' };
  },
  redDotRemoval: (pixels) => {
    const clean = withoutRedDots(pixels);
    return { pixels: clean, what: clean === pixels ? 'no red dots found' : 'red dots removed' };
  },
  dateStamp: (pixels, { height }, random) => {
    const figures = Math.min(pixels.width, pixels.height) * within(height, random);
    const stamp = drawDateStamp(pixels.width, pixels.height, figures, random);
    return { pixels: withDateStamp(pixels, stamp), what: `date stamp ${stamp.text}` };
  },
  redDots: (pixels, { diameter }, random) => {
    const size = Math.min(pixels.width, pixels.height) * within(diameter, random);
    const dots = drawRedDots(pixels.width, pixels.height, size, random);
    return { pixels: withRedDots(pixels, dots), what: `${dots.length} red dots` };
  },
  horizontalFlip: (pixels) => ({ pixels: horizontalFlip(pixels), what: 'left–right flip' }),
  verticalFlip: (pixels) => ({ pixels: verticalFlip(pixels), what: 'top–bottom flip' }),
  quarterTurns: (pixels, _, random) => {
    const turns = 1 + random.integer(3);
    return { pixels: quarterTurned(pixels, turns), what: `turn ${turns * 90}°` };
  },
  shiftScaleRotate: (pixels, { shift, scale, rotate }, random) => {
    const across = symmetric(shift, random);
    const down = symmetric(shift, random);
    const factor = 1 + symmetric(scale, random);
    const degrees = symmetric(rotate, random);
    const placement = {
      right: across * pixels.width,
      down: down * pixels.height,
      scale: factor,
      degrees,
    };
    const moved = shift > 0 ? [`shift ${signed(100 * across, 0)} % ${signed(100 * down, 0)} %`] : [];
    const scaled = scale > 0 ? [`scale ${factor.toFixed(2)}`] : [];
    const turned = rotate > 0 ? [`rotate ${signed(degrees, 0)}°`] : [];
    return { pixels: placed(pixels, placement), what: [...moved, ...scaled, ...turned].join(', ') };
  },
  randomShrink: (pixels, { factor }, random) => {
    const drawn = within(factor, random);
    const place = { across: random.uniform(), down: random.uniform() };
    return { pixels: shrunkOnCanvas(pixels, drawn, place), what: `shrink ${drawn.toFixed(2)}` };
  },
  brightness: (pixels, { range }, random) => brightnessBy(pixels, range, random),
  contrast: (pixels, { range }, random) => contrastBy(pixels, range, random),
  saturation: (pixels, { range }, random) => saturationBy(pixels, range, random),
  hue: (pixels, { range }, random) => hueBy(pixels, range, random),
  colourJitter: (pixels, { brightness, contrast, saturation, hue }, random) => {
    const steps: readonly ((now: Pixels) => Outcome)[] = [
      (now) => brightnessBy(now, brightness, random),
      (now) => contrastBy(now, contrast, random),
      (now) => saturationBy(now, saturation, random),
      (now) => hueBy(now, hue, random),
    ];
    const said: string[] = [];
    const jittered = random.shuffled(steps).reduce((now, step) => {
      const { pixels: next, what } = step(now);
      said.push(what);
      return next;
    }, pixels);
    return { pixels: jittered, what: said.join(', ') };
  },
  brightnessContrast: (pixels, { brightness, contrast }, random) => {
    const factor = 1 + symmetric(contrast, random);
    const offset = 255 * symmetric(brightness, random);
    const what = `contrast ×${factor.toFixed(2)}, brightness ${signed(offset, 0)}`;
    return { pixels: scaledAndLifted(pixels, factor, offset), what };
  },
  hueSaturationValue: (pixels, settings, random) => {
    const shift = {
      hue: symmetric(settings.hue, random),
      saturation: symmetric(settings.saturation, random),
      value: symmetric(settings.value, random),
    };
    const what = `HSV ${signed(shift.hue, 0)}°, ${signed(shift.saturation, 0)}, ${signed(shift.value, 0)}`;
    return { pixels: shiftedInHsv(pixels, shift), what };
  },
  gaussianNoise: (pixels, { variance }, random) => {
    const deviation = Math.sqrt(within(variance, random));
    return { pixels: withNoise(pixels, deviation, random), what: `noise ±${deviation.toFixed(1)}` };
  },
  gaussianBlur: (pixels, { deviation }, random) => {
    const drawn = within(deviation, random);
    return { pixels: gaussianBlurred(pixels, drawn), what: `blur σ ${drawn.toFixed(1)} px` };
  },
  motionBlur: (pixels, { length }, random) => {
    const drawn = within(length, random);
    const degrees = 180 * random.uniform();
    return {
      pixels: motionBlurred(pixels, drawn, degrees),
      what: `motion blur ${drawn.toFixed(1)} px at ${degrees.toFixed(0)}°`,
    };
  },
  coarseDropout: (pixels, { holes, side, fill }, random) => {
    const count = Math.round(within(holes, random));
    const shorter = Math.min(pixels.width, pixels.height);
    const drawn = Array.from({ length: count }, () => {
      const across = Math.max(1, Math.round(shorter * within(side, random)));
      const down = Math.max(1, Math.round(shorter * within(side, random)));
      const left = random.integer(pixels.width - across + 1);
      const top = random.integer(pixels.height - down + 1);
      return { left, top, right: left + across, bottom: top + down };
    });
    return { pixels: withHoles(pixels, drawn, fill), what: `${count} ${count === 1 ? 'hole' : 'holes'}` };
  },
};

function scaledBy(
  what: 'brightness' | 'contrast' | 'saturation',
  change: (pixels: Pixels, factor: number) => Pixels,
) {
  return (pixels: Pixels, reach: number, random: RandomStream): Outcome => {
    const factor = 1 + symmetric(reach, random);
    return { pixels: change(pixels, factor), what: `${what} ×${factor.toFixed(2)}` };
  };
}

const brightnessBy = scaledBy('brightness', brightened);
const contrastBy = scaledBy('contrast', withContrast);
const saturationBy = scaledBy('saturation', saturated);

function hueBy(pixels: Pixels, reach: number, random: RandomStream): Outcome {
  const turn = symmetric(reach, random);
  return { pixels: withHueTurned(pixels, turn), what: `hue ${signed(360 * turn, 0)}°` };
}

function within([low, high]: readonly [number, number], random: RandomStream): number {
  return low + (high - low) * random.uniform();
}

function symmetric(reach: number, random: RandomStream): number {
  return reach * (2 * random.uniform() - 1);
}

function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `−${text}` : `+${text}`;
}
