/** What of libheif's glue is used here; the package declares only what lies below it. */
declare module 'libheif-js/wasm-bundle.js' {
  /** What libheif answers instead of what was asked for. */
  interface Failure {
    readonly message: string;
  }

  /** Views of libheif's memory, which end with the picture. */
  interface Picture {
    readonly image: object;
    readonly channels: readonly [
      {
        readonly width: number;
        readonly height: number;
        /** Bytes from one row to the next. */
        readonly stride: number;
        readonly data: Uint8Array;
      },
    ];
  }

  const libheif: {
    readonly heif_colorspace: { readonly heif_colorspace_RGB: object };
    readonly heif_chroma: { readonly heif_chroma_interleaved_RGBA: object };
    heif_context_alloc(): object;
    heif_context_free(context: object): void;
    heif_context_read_from_memory(
      context: object,
      file: Uint8Array,
    ): Failure & { readonly code: { readonly value: number } };
    heif_js_context_get_primary_image_handle(context: object): object & Partial<Failure>;
    heif_image_handle_release(handle: object): void;
    heif_js_decode_image2(handle: object, space: object, chroma: object): Picture | Failure;
    heif_image_release(image: object): void;
  };
  export default libheif;
}

/** The same for browsers, which load it as a module. */
declare module 'libheif-js/libheif-wasm/libheif-bundle.mjs' {
  import type libheif from 'libheif-js/wasm-bundle.js';

  export default function load(): typeof libheif;
}
