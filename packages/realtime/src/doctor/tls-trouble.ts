/** Codes of Node and OpenSSL that are about encryption: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
export const TLS_TROUBLE = /CERT|TLS|SSL|EPROTO|SIGNATURE|ISSUER/;

/** What to do about them. */
export function fixTls(variable: string, plainScheme: 'http' | 'ws'): string {
  return `Renew or correct the certificate of the proxy (name, chain, date); a private one this machine knows by NODE_EXTRA_CA_CERTS. Where nothing encrypts, begin ${variable} with ${plainScheme}://.`;
}
