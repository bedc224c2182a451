import { z } from 'zod';

/**
 * The forms that values take. A form's error text is what a message shows after "expected"; it ends with a hint when the
 * value is right but for its quotes, the commonest slip in YAML.
 */
type Wrong = { error: (issue: { input?: unknown }) => string };

export function wrong(expected: string, type: 'text' | 'number' | 'boolean' | 'other' = 'other'): Wrong {
  return { error: ({ input }) => `${expected}${quotesHint(input, type)}` };
}

function quotesHint(input: unknown, type: string): string {
  if (type === 'text' && (typeof input === 'number' || typeof input === 'boolean')) {
    return `, in quotes (without them YAML reads a ${typeof input})`;
  }
  if (type === 'number' && typeof input === 'string' && /^-?\d+$/.test(input)) return ', without quotes';
  if (type === 'boolean' && typeof input === 'string' && /^(true|false|yes|no|on|off)$/i.test(input)) {
    return ', without quotes';
  }
  return '';
}

export function text(expected: string, pattern: RegExp) {
  return z.string(wrong(expected, 'text')).regex(pattern, wrong(expected, 'text'));
}

export function integer(expected: string, minimum: number, maximum: number) {
  const form = wrong(expected, 'number');
  return z.int(form).min(minimum, form).max(maximum, form);
}

export const flag = () => z.boolean(wrong('true or false', 'boolean'));

export const port = () => integer('a port from 1 to 65535', 1, 65535);

const OCTET = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
const IPV4 = `(?:${OCTET}\\.){3}${OCTET}`;

function ipv4Hint(plain: string): (issue: { input?: unknown }) => string {
  return ({ input }) => {
    if (typeof input !== 'string') return plain;
    if (/^\[?[0-9a-f]*:[0-9a-f:.]*\]?(\/\d+)?$/i.test(input)) return `${plain}; IPv6 is not supported yet`;
    if (new RegExp(`^${IPV4}/\\d+$`).test(input)) return `${plain}, without a prefix length`;
    if (new RegExp(`^${IPV4}:\\d+$`).test(input)) return `${plain}, without a port`;
    return plain;
  };
}

/** IPv4 only: the VIP check, flannel's set-up and the certificates have never been tried with IPv6. */
export function ipv4(example: string) {
  const form = { error: ipv4Hint(`an IPv4 address such as ${example}`) };
  return z.string(form).regex(new RegExp(`^${IPV4}$`), form);
}

/** A network such as 10.244.0.0/16; that no host bits are set is a cross-check, which can name the right network. */
export function network(example: string) {
  const plain = `an IPv4 network such as ${example}`;
  const form = {
    error: ({ input }: { input?: unknown }) => {
      if (typeof input !== 'string') return plain;
      return input.includes(':') ? `${plain}; IPv6 and dual stack are not supported yet` : plain;
    },
  };
  return z.string(form).regex(new RegExp(`^${IPV4}/(?:3[0-2]|[12]?[0-9])$`), form);
}

/** What `ssh` takes: an IPv4 address or a DNS name (a `Host` of the OpenSSH configuration included). */
export const sshAddress = () =>
  text('an IPv4 address or a DNS name', /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/);

/** What `useradd` takes, and the `user@realm` of directories. It reaches a command line: nothing that a shell reads. */
export const userName = () => text('the name of a login user such as root', /^[A-Za-z_][A-Za-z0-9_.@-]{0,63}$/);

/** A path on the user's own machine. Letters of every script and spaces, but nothing that a shell reads. */
export const localPath = (example: string) =>
  text(
    `a path such as ${example}, without quotes or $ in it`,
    /^[\p{L}\p{M}\p{N}_./~@%+=,()][\p{L}\p{M}\p{N} _./~@%+=:,()-]{0,1023}$/u,
  );

/** Files on a host: a pattern in the last part alone, and nothing else that a shell reads. */
export const hostPattern = (example: string) =>
  text(
    `an absolute path such as ${example}, with * ? and [ ] in its last part alone`,
    /^(?=.{2,1024}$)(?!.*\/\.{1,2}(?:\/|$))\/(?:[\w.+@%=:,-]+\/)*[\w.+@%=:,*?[\]-]+$/,
  );

/** No login in it: the file is no place for passwords; the package manager's own configuration on the hosts is. */
export const proxyUrl = () =>
  text(
    'a URL such as http://proxy.example.org:3128, without user and password (those go into apt.conf or dnf.conf on the hosts)',
    /^https?:\/\/[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::[0-9]{1,5})?\/?$/,
  );

/** A name to be resolved as it stands, whatever search domains there are. It becomes an argument of a program in a pod. */
export const dnsName = (example: string) =>
  text(
    `a DNS name such as ${example}`,
    /^(?=.{1,253}$)(?!.*\.[0-9]+$)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/,
  );

/** RFC 1123 label: what Kubernetes takes for most names. */
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';

/**
 * A node's name: RFC 1123 subdomain as Kubernetes wants it, and at most 63 characters, because it is the value of the
 * label kubernetes.io/hostname too.
 */
export const nodeName = () =>
  text(
    'a name such as cp-1: lower-case letters, digits, "-" and ".", at most 63 characters',
    new RegExp(`^(?=.{1,63}$)${LABEL}(?:\\.${LABEL})*$`),
  );

/** A cluster's name becomes part of host paths, unit names, a workflow's id and a kubeconfig's context. */
export const clusterName = () =>
  text(
    'a name such as demo: lower-case letters, digits and "-", at most 50 characters',
    /^[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?$/,
  );

export const dnsDomain = () =>
  text('a DNS domain such as cluster.local, in lower case', new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`));

/** Address or name of the API: it reaches certificates, kubeconfigs and command lines. kubeadm wants names in lower case. */
export function apiAddress(expected: string) {
  const form = {
    error: ({ input }: { input?: unknown }) => {
      if (typeof input !== 'string') return expected;
      if (input.includes('://')) return `${expected}, without a scheme`;
      if (/^[^:]+:\d+$/.test(input)) return `${expected}, without a port (endpoint.port)`;
      return input.includes(':') ? `${expected}; IPv6 is not supported yet` : expected;
    },
  };
  return z.string(form).regex(new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`), form);
}

/** Names and addresses that a certificate can carry; kubeadm takes wildcards too. */
export const subjectName = () =>
  text(
    'a DNS name or an IPv4 address',
    /^(?=.{1,253}$)(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/,
  );

/** A command-line flag of a component, without the dashes in front. */
export const flagName = () =>
  text('the name of a flag without leading dashes, such as audit-log-maxage', /^[A-Za-z0-9][A-Za-z0-9.-]{0,126}$/);

/** One line: it becomes one argument of a static pod's command. */
const LINE = /^[^\p{C}\u2028\u2029]{0,4096}$/u;

/** Flags are text in the end; numbers and booleans may stand without quotes. */
export const flagValue = () => {
  const form = wrong('a text on one line, a whole number, true or false');
  return z.union([z.string(form).regex(LINE, form), z.int(form), z.boolean(form)], form);
};

export const sysctlName = () =>
  text('the name of a sysctl such as net.core.somaxconn', /^[a-z0-9](?:[A-Za-z0-9_./-]{0,250}[A-Za-z0-9])?$/);

export const sysctlValue = () => {
  const form = wrong('a whole number or a text on one line');
  return z.union([z.string(form).regex(/^[\x20-\x7e]{1,256}$/, form), z.int(form)], form);
};

/** POSIX environment variable. A wrong value may be the password itself: `explain.ts` never shows it. */
export const environmentName = () =>
  text(
    'the name of an environment variable such as SUDO_PASSWORD (never the password)',
    /^[A-Za-z_][A-Za-z0-9_]{0,127}$/,
  );

/** A path on the hosts. It reaches YAML and a shell, quoted: the plain characters are enough for configuration. */
export const hostPath = (example: string) =>
  text(
    `an absolute path on the hosts such as ${example}`,
    /^(?=.{2,255}$)(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._+-]{1,128})+$/,
  );

/** Name of a volume of a pod. */
export const volumeName = () =>
  text('a name such as oidc: lower-case letters, digits and "-", at most 63 characters', new RegExp(`^${LABEL}$`));

const QUALIFIED =
  '(?:(?=[^/]{1,253}/)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?';

/** Key of a label or taint: an optional DNS prefix and a name of at most 63 characters. */
export const labelKey = () => text('a key such as zone or example.org/zone', new RegExp(`^${QUALIFIED}$`));

export const labelValue = () =>
  text(
    'at most 63 letters, digits, "-", "_" and ".", beginning and ending with a letter or digit',
    /^(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/,
  );

/** IFNAMSIZ is 16 with the closing zero. */
export const interfaceName = () =>
  text('the name of a network card such as eth0', /^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,14}$/);

export const kubernetesVersion = () =>
  text('a Kubernetes version with three parts such as 1.34.3', /^v?1\.[0-9]{1,3}\.[0-9]{1,3}$/);

export const preflightCheck = () =>
  text('the name of a kubeadm preflight check such as SystemVerification', /^[A-Za-z0-9][A-Za-z0-9._-]{0,126}$/);

/** Code of one of Kubewright's own checks; which ones there are is a cross-check, which can name the right one. */
export const preflightCode = () => text('the code of a preflight check such as KW335', /^KW3[0-9]{2}$/);

/** Shown on one line of a plan, and part of a step's summary. */
export const reason = () =>
  text('a reason in words, on one line, at most 200 characters', /^(?=.*\S)[^\p{C}\u2028\u2029]{1,200}$/u);

/** Handed on as it is; the program that reads it judges it. */
export const anyMap = (owner: string) => z.record(z.string(), z.unknown(), wrong(`a map with settings of ${owner}`));
