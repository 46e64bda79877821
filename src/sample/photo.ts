import type { RandomStream } from '../ground/random.ts';
import type { Components } from '../pasture/targets.ts';
import { growGrass } from './blades.ts';
import { type CameraSetting, makeView } from './camera.ts';
import { drawCanopy, prepareCanopy } from './canopy.ts';
import { makeCanvas } from './canvas.ts';
import { growClover } from './clover.ts';
import { darkenByPhotographer, develop } from './develop.ts';
import { makeLight } from './light.ts';
import { growLitter, strewCrumbs } from './litter.ts';
import { growLucerne } from './lucerne.ts';
import { type FieldReadings, fieldReadings } from './readings.ts';
import { cutOf, emptyScene, type Scene } from './scene.ts';
import type { Session } from './session.ts';
import { paintSoil } from './soil.ts';
import { printDateStamp } from './stamp.ts';

/** What is meant to grow in one quadrat. Plain data. Growth stops at the first element past each mass. */
export interface QuadratPlan {
  readonly session: Session;
  readonly greenGrams: number;
  readonly deadGrams: number;
  readonly cloverGrams: number;
  /** Height of this spot relative to the session's. */
  readonly heightFactor: number;
}

/** One rendered quadrat and what is known of it. */
export interface RenderedPhoto extends FieldReadings {
  /** 8-bit sRGB, [height, width, 3] */
  readonly pixels: Uint8Array;
  /** Dry grams of all that was drawn with its root inside the frame, hidden or not. */
  readonly components: Components;
}

/** Draws what one spot of a session carries: rich and poor spots of the same paddock. */
export function planQuadrat(session: Session, random: RandomStream): QuadratPlan {
  const vary = (spread: number): number => Math.exp(spread * random.normal() - (spread * spread) / 2);
  const heightFactor = vary(0.22);
  const richness = vary(0.55) * heightFactor ** 0.6;
  // Clover fills where grass is thin, and is missing from one spot in nine.
  const clover = random.uniform() < 0.11 ? 0 : session.cloverGrams * vary(0.65) * richness ** -0.5;
  const dead = random.uniform() < 0.03 ? 0 : session.deadGrams * vary(0.7);
  return {
    session,
    greenGrams: Math.min(150, Math.max(session.cloverGrams > 0 ? 0.3 : 1.2, session.greenGrams * richness)),
    deadGrams: Math.min(80, dead),
    cloverGrams: clover < 0.15 ? 0 : Math.min(70, clover),
    heightFactor,
  };
}

/**
 * Grows and photographs one quadrat.
 *
 * @param width,height pixels; 2:1 as the competition has it
 * @param random this photo's own stream; the result depends on nothing else
 */
export function renderQuadrat(
  plan: QuadratPlan,
  width: number,
  height: number,
  random: RandomStream,
): RenderedPhoto {
  const { session } = plan;
  const scene = growScene(plan, random);
  const weather = random.fork('weather');
  const { elevation, azimuth, clearness, warmth } = session.light;
  const light = makeLight({
    elevation: elevation + 0.04 * weather.normal(),
    azimuth: azimuth + 0.15 * weather.normal(),
    clearness: Math.min(1, Math.max(0, clearness + 0.08 * weather.normal())),
    warmth,
  });
  const camera = aimCamera(session.camera, random.fork('camera'));
  const view = makeView(camera, width, height);
  const canvas = makeCanvas(width, height);
  const canopy = prepareCanopy(scene, view, light);
  const drawing = { canvas, light, shadows: canopy.shadows, materials: scene.materials };
  drawCanopy(drawing, view, scene, canopy);
  paintSoil(canvas, view, session.soil, light, canopy.shadows, canopy.shade, random.fork('soil'));
  if (clearness > 0.5 && weather.uniform() < 0.08) {
    darkenByPhotographer(canvas, light, weather.integer(1 << 20));
  }
  const pixels = develop(canvas, camera, weather.integer(1 << 20));
  if (session.stamped) printDateStamp(pixels, width, height, session.date);
  return { pixels, components: cutOf(scene), ...fieldReadings(scene, random.fork('readings')) };
}

function growScene(plan: QuadratPlan, random: RandomStream): Scene {
  const { session } = plan;
  const scene = emptyScene();
  const litter = { ...session.litter, heightCm: session.litter.heightCm * plan.heightFactor };
  strewCrumbs(scene, litter, 900, random.fork('crumbs'));
  growLitter(scene, litter, plan.deadGrams, random.fork('litter'));
  session.grasses.forEach(({ look, share }, index) => {
    const heightCm = look.heightCm * plan.heightFactor;
    growGrass(scene, { ...look, heightCm }, plan.greenGrams * share, random.fork(`grass ${index}`));
  });
  const { lucerne } = session;
  if (lucerne.share > 0) {
    const look = { ...lucerne.look, heightCm: lucerne.look.heightCm * plan.heightFactor };
    growLucerne(scene, look, plan.greenGrams * lucerne.share, random.fork('lucerne'));
  }
  growClover(scene, session.clover, plan.cloverGrams, random.fork('clover'));
  return scene;
}

/** No photographer holds a camera twice the same way. */
function aimCamera(camera: CameraSetting, random: RandomStream): CameraSetting {
  return {
    ...camera,
    rotation: 0.018 * random.normal(),
    tilt: [0.012 * random.normal(), 0.012 * random.normal()],
    shift: [0.25 * random.normal(), 0.2 * random.normal()],
    exposure: camera.exposure * Math.exp(0.06 * random.normal()),
  };
}
