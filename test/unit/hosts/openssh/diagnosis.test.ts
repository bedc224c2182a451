import { describe, expect, test } from 'vitest';
import { type Attempt, causeOfDeath, diagnose } from '../../../../src/hosts/connection/openssh/diagnosis.js';
import { readEvaluated } from '../../../../src/hosts/connection/openssh/options.js';

function attempt(words: string, facts: Partial<Attempt> = {}): Attempt {
  return {
    hop: {
      label: 'cp-1',
      destination: 'cp-1.example',
      port: undefined,
      user: undefined,
      defaultUser: 'root',
      keyFiles: [],
      agent: true,
      knownHostsFile: undefined,
      hostKeys: 'strict',
      configFile: null,
      isUsualConfig: true,
    },
    host: 'cp-1',
    at: readEvaluated('user ada\nhostname 192.0.2.7\nport 22\nuserknownhostsfile /home/ada/.ssh/known_hosts\n'),
    via: undefined,
    agent: null,
    words,
    ...facts,
  };
}

/** What OpenSSH 9.2 and its neighbours print, from real endings. */
describe('the last words of ssh', () => {
  test.each([
    ['ssh: connect to host 192.0.2.7 port 22: Connection refused\r\n', 'KW201', true],
    ['ssh: connect to host 192.0.2.7 port 22: Connection timed out\r\n', 'KW202', true],
    ['ssh: connect to host 192.0.2.7 port 22: No route to host\r\n', 'KW202', true],
    ['ssh: connect to host 192.0.2.7 port 22: Network is unreachable\r\n', 'KW202', true],
    ['Connection timed out during banner exchange\r\nConnection to 192.0.2.7 port 22 timed out\r\n', 'KW202', true],
    [
      'kex_exchange_identification: read: Connection reset by peer\r\nConnection reset by 192.0.2.7 port 22\r\n',
      'KW203',
      true,
    ],
    ['kex_exchange_identification: Connection closed by remote host\r\n', 'KW203', true],
    ['Connection closed by 192.0.2.7 port 22\r\n', 'KW203', true],
    [
      '/bin/sh: 1: exec: aws: not found\r\nkex_exchange_identification: Connection closed by remote host\r\nConnection closed by UNKNOWN port 65535\r\n',
      'KW203',
      true,
    ],
    ['ssh: Could not resolve hostname cp-1.example: Name or service not known\r\n', 'KW205', false],
    ['ssh: Could not resolve hostname cp-1.example: Temporary failure in name resolution\r\n', 'KW202', true],
    [
      'Unable to negotiate with 192.0.2.7 port 22: no matching host key type found. Their offer: ssh-rsa\r\n',
      'KW206',
      false,
    ],
    [
      'Unable to negotiate with 192.0.2.7 port 22: no matching key exchange method found. Their offer: diffie-hellman-group1-sha1\r\n',
      'KW206',
      false,
    ],
    [
      'debug1: kex_exchange_identification: banner line 0: HTTP/1.1 400 Bad Request\r\nkex_exchange_identification: Connection closed by remote host\r\n',
      'KW206',
      false,
    ],
    ['ada@192.0.2.7: Permission denied (publickey,password).\r\n', 'KW212', false],
    [
      'debug1: Offering public key: /k ED25519 SHA256:x explicit\r\nada@192.0.2.7: Permission denied (publickey).\r\n',
      'KW210',
      false,
    ],
    [
      'debug1: Offering public key: a comment ED25519 SHA256:x agent\r\nReceived disconnect from 192.0.2.7 port 22:2: Too many authentication failures\r\n',
      'KW210',
      false,
    ],
    ['ada@192.0.2.7: Permission denied (gssapi-with-mic).\r\n', 'KW210', false],
    [
      'Authenticated using "publickey" with partial success.\r\nada@192.0.2.7: Permission denied (keyboard-interactive).\r\n',
      'KW242',
      false,
    ],
    [
      'No ED25519 host key is known for 192.0.2.7 and you have requested strict checking.\r\nHost key verification failed.\r\n',
      'KW220',
      false,
    ],
    [
      '@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\nOffending ED25519 key in /k h/known_hosts:3\r\nHost key verification failed.\r\n',
      'KW221',
      false,
    ],
    [
      '@       WARNING: REVOKED HOST KEY DETECTED!               @\r\nHost key verification failed.\r\n',
      'KW222',
      false,
    ],
    ['Certificate invalid: expired\r\nHost key verification failed.\r\n', 'KW273', false],
    [
      'channel 0: open failed: administratively prohibited: open failed\r\nstdio forwarding failed\r\nConnection closed by UNKNOWN port 65535\r\n',
      'KW243',
      false,
    ],
    [
      'channel 0: open failed: connect failed: Connection refused\r\nstdio forwarding failed\r\nConnection closed by UNKNOWN port 65535\r\n',
      'KW201',
      true,
    ],
    ['', 'KW203', true],
  ])('%j is %s', (words, code, transient) => {
    expect(diagnose(attempt(words))).toMatchObject({ code, transient, host: 'cp-1' });
  });

  test('are shown, redacted and without what only the debug level brings', () => {
    const words =
      'debug1: Executing proxy command: exec p --token abcdef.0123456789abcdef\r\nlogin --password hunter22\r\nbroken\r\n';
    const error = diagnose(attempt(`${words}token: abcdef.0123456789abcdef\r\n`));
    expect(error.output).toContain('broken');
    expect(`${error.message}${error.output}`).not.toMatch(/0123456789abcdef|Executing/);
  });

  test('name the file and line of a changed key, and the command that takes it out', () => {
    const words = 'REMOTE HOST IDENTIFICATION HAS CHANGED!\r\nOffending ED25519 key in /k h/known_hosts:3\r\n';
    const error = diagnose(attempt(words, { at: readEvaluated('hostname 192.0.2.7\nport 2222\n') }));
    expect(error.message).toContain('/k h/known_hosts:3');
    expect(error.hint).toContain(`ssh-keygen -f '/k h/known_hosts' -R '[192.0.2.7]:2222'`);
  });
});

test.each([
  ['debug1: x\r\nTimeout, server 192.0.2.7 not responding.\r\n', null, 'nothing was heard for 9 s or more'],
  ['Connection to 192.0.2.7 closed by remote host.\r\n', null, 'Connection to 192.0.2.7 closed by remote host.'],
  ['', 'SIGKILL', 'ssh was ended by SIGKILL'],
  ['', null, 'the peer closed it'],
])('a connection that ends with %j (%s) died of: %s', (words, signal, cause) => {
  expect(causeOfDeath(words, signal)).toBe(cause);
});
