/** The part of exifr that reads the positions and times of JPEG and HEIC. */
declare module 'exifr/dist/lite.esm.mjs' {
  export function parse(
    file: Blob,
    options: { readonly gps: boolean; readonly pick: readonly string[] },
    // biome-ignore lint/suspicious/noExplicitAny: what files say is checked where it is read
  ): Promise<Record<string, any> | undefined>;
}
