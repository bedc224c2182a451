/** A certificate of a throw-away CA (P-256, its key is not kept). */
export const CA = `-----BEGIN CERTIFICATE-----
MIIBgTCCASegAwIBAgIUZEYjLGDL2MBzSr0sJCm5C4rCfqwwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKa3ViZXJuZXRlczAgFw0yNjExMjAxNTMzMzVaGA8yMTI2MTAy
NzE1MzMzNVowFTETMBEGA1UEAwwKa3ViZXJuZXRlczBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABNbcIdSlcvH9cmd6bUOHs2HzXRzIEcgEJyu7z89ASABa0LDiJ/WC
vZ1q0yVqIXEYQE1wOvTvG/Ptj+9VdR7RotCjUzBRMB0GA1UdDgQWBBQ8203X9UyV
SWHyPKsa9Jn9y33C3jAfBgNVHSMEGDAWgBQ8203X9UyVSWHyPKsa9Jn9y33C3jAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIGcKAXEh1FkOOgq3kXMx
KWJ/e8536ptrOc3lWnjpAs7BAiEAjX5AeGjh4gG2jqM7ENWPrssfo1gDDEtrB0YO
CtV/Qjc=
-----END CERTIFICATE-----
`;

/** What `node_object` prints of a node that is Ready; `set` is what it remembers of the file's labels and taints. */
export function nodeText(labels: string, taints: string, address: string, set = ''): string {
  return ['node', 'u-1', labels, taints, address, 'True', 'v1.34.3', set, 'end of node'].join('\n');
}
