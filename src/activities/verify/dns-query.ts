/**
 * A question to a DNS server without any program that asks questions: hosts have neither dig nor python for certain, but
 * all have bash, coreutils and UDP. RFC 1035, sections 4.1.1 and 4.1.2.
 */

/** Header: an id, recursion desired, one question. */
const HEADER = Buffer.from([0x4b, 0x57, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]);
const TYPE_A_CLASS_IN = Buffer.from([0, 0, 1, 0, 1]);

/** The datagram that asks for the IPv4 addresses of a name. */
export function dnsQuery(name: string): Buffer {
  const labels = name
    .split('.')
    .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'ascii')]));
  return Buffer.concat([HEADER, ...labels, TYPE_A_CLASS_IN]);
}

/**
 * Bash function `ask_dns SERVER`: sends the question once and prints the answer in hexadecimal. base64 writes it in one
 * piece; bash's own printf would cut the datagram at every byte 0x0a, which is the length of "kubernetes".
 */
export function askDnsFunction(name: string): string {
  return `ask_dns() {
  exec 3<>"/dev/udp/$1/53" || return 1
  echo ${dnsQuery(name).toString('base64')} | base64 -d >&3
  timeout 2 dd bs=512 count=1 <&3 2>/dev/null | od -An -v -tx1 | tr -d ' \\n'
}`;
}

/** Whether an answer (hexadecimal) is without error and ends with this IPv4 address. */
export function answersWith(answer: string, address: string): boolean {
  const bytes = Buffer.from(answer, 'hex');
  const responseCode = bytes.length < 12 ? undefined : (bytes[3] ?? 0) & 0x0f;
  if (responseCode !== 0) return false;
  // CoreDNS may add an OPT record behind the answer, so the address need not be the very end.
  return bytes.includes(Buffer.from(address.split('.').map(Number)), 12);
}
