/** What a model is fed: whole photos of any size, or views that were cut and resized already. */
export const MODEL_INPUTS = ['photos', 'views'] as const;
export type ModelInput = (typeof MODEL_INPUTS)[number];
