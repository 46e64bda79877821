/** SHA-256 of the manifest of the run that is bundled with sward: what the server knows it by. */
declare const __STARTER_HASH__: string;
