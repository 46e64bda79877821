export { type Domain, fitDomain, OUT_OF_DOMAIN_SHARE, outOfDomainShares } from './domain.ts';
export { DOMAIN, type DomainSubject, readDomain, type StoredDomain, writeDomain } from './domain-file.ts';
export { beginDomainRecord, writeDomainRecord } from './record.ts';
