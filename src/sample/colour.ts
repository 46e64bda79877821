/** Linear-light red, green and blue; 1 is a white surface under full light. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** A colour as on a screen: hue in degrees, saturation and value in [0, 1]. */
export interface Tint {
  readonly hue: number;
  readonly saturation: number;
  readonly value: number;
}

/** Decodes one sRGB channel from [0, 1] to linear light (IEC 61966-2-1). */
export function linearFromSrgb(encoded: number): number {
  return encoded <= 0.04045 ? encoded / 12.92 : ((encoded + 0.055) / 1.055) ** 2.4;
}

/** Encodes linear light in [0, 1] as an sRGB channel in [0, 1] (IEC 61966-2-1). */
export function srgbFromLinear(linear: number): number {
  return linear <= 0.0031308 ? linear * 12.92 : 1.055 * linear ** (1 / 2.4) - 0.055;
}

/** Linear RGB of an HSV colour: hue in degrees (any real), saturation and value in [0, 1], as on a screen. */
export function linearFromHsv(hueDegrees: number, saturation: number, value: number): Rgb {
  const sector = (((hueDegrees % 360) + 360) % 360) / 60;
  const channel = (offset: number): number => {
    const position = (offset + sector) % 6;
    const encoded = value * (1 - saturation * Math.max(0, Math.min(position, 4 - position, 1)));
    return linearFromSrgb(Math.min(1, Math.max(0, encoded)));
  };
  return [channel(5), channel(3), channel(1)];
}
