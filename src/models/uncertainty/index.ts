export { type Domain, fitDomain, OUT_OF_DOMAIN_SHARE, outOfDomainShares } from './domain.ts';
export { readDomain, writeDomain } from './domain-file.ts';
