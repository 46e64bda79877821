/** The part of exifr that reads the positions and times of JPEG. */
declare module 'exifr/dist/lite.esm.mjs' {
  export function parse(
    file: Uint8Array,
    options: { readonly gps: boolean; readonly exif: readonly string[] },
    // biome-ignore lint/suspicious/noExplicitAny: what files say is checked where it is read
  ): Promise<Record<string, any> | undefined>;
}
