import type { CatalogueEntry } from './entry.ts';

/** A commit of a repository, and the file as it is there. */
export type Pin = Pick<CatalogueEntry, 'revision' | 'bytes' | 'sha256'>;

const NO_PIN: Pin = { revision: 'main', bytes: null, sha256: null };

/**
 * The commit to pull and what its file must be, for entries where that is known. Each hash and commit was read in
 * at least two public projects that have nothing to do with one another (lock files, manifests, cache listings);
 * nothing was computed or completed here, and the hub itself was not asked.
 */
const PINS: Readonly<Record<string, Pin>> = {
  'vit_small_patch14_dinov2.lvd142m': {
    revision: '4610ca143709d58a633b6397a74412c2c3842454',
    bytes: 88_240_510,
    sha256: '04d27f3400d059fc0cfd7d17dd1909a75bf3ea8fb3eeb48b97cb99e57ee20081',
  },
  'vit_base_patch14_dinov2.lvd142m': {
    revision: '4685c99dabffe5affac90bd99dbffd25801ae58d',
    bytes: 346_334_872,
    sha256: '55cbb5d887b336d430e649c277b85a1429e724871f9d02ac16203235886d8c7b',
  },
  'vit_large_patch14_dinov2.lvd142m': {
    revision: '4741e1cafbf45415e77074bb0cb42dba76c8684a',
    bytes: 1_217_502_758,
    sha256: '0424a5d1b515278cba3c6640ccbeaacc41de59d3a93df0dd5e494285eea2b355',
  },
  'vit_large_patch14_reg4_dinov2.lvd142m': {
    revision: 'f3c408e77602bb412aa65fb03dfa0d5f95cb3832',
    bytes: 1_217_515_128,
    sha256: 'c893d72294d4c327e631ff92f428dbc14c4f93cb5581b6c5f9d89bb5d17def27',
  },
  'vit_small_patch16_dinov3.lvd1689m': {
    revision: '3bf4720a82ec2066db88137180ff1f83a675cef0',
    bytes: 86_362_376,
    sha256: '2a1ec16ae28ffa07bc0ead0241ee7df9fc26451fe6f9f839b7b3afa0a906b040',
  },
  'vit_base_patch16_dinov3.lvd1689m': {
    revision: 'c6a5fb7d12bbd3cf3b0079253141c3332aaed7da',
    bytes: 342_579_728,
    sha256: '1f9ed8a2378d65e24bb710ba522ac9fa7be4e036d7aefb4384ce022833926332',
  },
  'vit_large_patch16_dinov3.lvd1689m': {
    revision: '30c1109559f65dea34316b0d4842d35c5771fe11',
    bytes: 1_212_347_640,
    sha256: '45172f209c9583c40538afc26b60a07033e6fcc2e8c30228338e6b2e932e7941',
  },
  'facebook/dinov3-vits16-pretrain-lvd1689m': {
    revision: '114c1379950215c8b35dfcd4e90a5c251dde0d32',
    bytes: 86_406_384,
    sha256: '4610ad75edef83e75afdebf162d148dc628045ea6cbb83d67d4708c709c4f91d',
  },
  'facebook/dinov3-vits16plus-pretrain-lvd1689m': {
    revision: 'c93d816fc9e567563bc068f01475bec89cc634a6',
    bytes: 114_794_096,
    sha256: '208146e499dace99e4c9376ddb8a26f77d64c31c46c4dc4b86ff8bc63b0235e2',
  },
  'facebook/dinov3-vitb16-pretrain-lvd1689m': {
    revision: '5931719e67bbdb9737e363e781fb0c67687896bc',
    bytes: 342_662_192,
    sha256: '9a21ac3df0c63839d62612dda6f454d816c25611cc7a52966ed5a5a94921dc8b',
  },
  'facebook/dinov3-vitl16-pretrain-lvd1689m': {
    revision: 'ea8dc2863c51be0a264bab82070e3e8836b02d51',
    bytes: 1_212_559_808,
    sha256: 'dcb2e45127cccbf1601e5f42fef165eea275c8e5213197e8dcf3f48822718179',
  },
  'facebook/dinov3-vith16plus-pretrain-lvd1689m': {
    revision: 'c807c9eeea853df70aec4069e6f56b28ddc82acc',
    bytes: 3_362_432_800,
    sha256: '3e1d4d18b9bfa9f28fad8e9de6a783f1313532d3460efa4cd0b12521d81d1a4d',
  },
  'facebook/dinov3-convnext-tiny-pretrain-lvd1689m': {
    revision: '10d30274b4d445111e2d5bf75ac93bbd94db274b',
    bytes: 111_299_216,
    sha256: 'bd30a9459d6149564ef53af6e8a1999980953b009b94cde836ac1bac4d339cb2',
  },
  'convnext_tiny.fb_in1k': {
    revision: 'b43a6303c9fcf176d2d707478a128c2c91e93528',
    bytes: 114_374_272,
    sha256: '08b9dc9c3a3a29421de7996761e176501896d1ae7fc3085cf56a643772329276',
  },
  'convnext_tiny.in12k_ft_in1k': {
    revision: 'aa096f03029c7f0ec052013f64c819b34f8ad790',
    bytes: 114_374_272,
    sha256: 'a1aefa409b513cf209b085424eb3efffe4e4a9f511491bc2c12ea35209e6bb95',
  },
  'convnext_tiny.dinov3_lvd1689m': {
    revision: '39c7bb32f83c11bbb13cb23058f8852a4dac88ed',
    bytes: 111_298_008,
    sha256: 'a7637753a2e85d709d1a5474e13382d39e7bc581a35868b477585c970f36847f',
  },
  'efficientnet_b0.ra_in1k': {
    revision: '1b5383e5f79cc0f7fc067e372f8f26a5fa73f26a',
    bytes: 21_355_344,
    sha256: 'd569899762ea9b1384ee07f4af64805cf8caa1c55f9253ebb1080dc40e87a2cd',
  },
};

/** What is known of an entry's file; `main` and nothing else where that is nothing. */
export const pinOf = (name: string): Pin => PINS[name] ?? NO_PIN;
