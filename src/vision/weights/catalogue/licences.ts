import type { LicenceName } from './entry.ts';

/** What a person should know before using weights under a licence. */
export const LICENCE_NOTES: Readonly<Record<LicenceName, string>> = {
  'Apache-2.0': 'free to use, change and pass on, with the notice',
  MIT: 'free to use, change and pass on, with the notice',
  DINOv3:
    'commercial use allowed; weights and derivatives passed on stay under it with a copy, publications ' +
    'acknowledge it, military and ITAR uses are barred: https://ai.meta.com/resources/models-and-libraries/dinov3-license/',
};
