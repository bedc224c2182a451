import type { FakeHost } from './host.js';

/** How a fake host plays the three modes of the program that proves which hosts reach each other (`reachScript`). */
export function answerReach(host: FakeHost, script: string): string {
  const mode = /^exec perl - (\w+) /m.exec(script)?.[1];
  const orders = script.slice(script.lastIndexOf('\n__END__\n') + '\n__END__\n'.length).split('\n');
  const words = orders.map((order) => order.split(' '));
  switch (mode) {
    case 'listen':
      host.cluster.received.set(host.address, []);
      return `${words.map(listening).join('')}ready\n`;
    case 'probe':
      return `${words.map((order) => probing(host, selfOf(words), order)).join('')}end\n`;
    case 'collect':
      return [...(host.cluster.received.get(host.address) ?? []), 'end'].map((line) => `${line}\n`).join('');
    default:
      throw new Error(`a mode of the check of reachability that is not known: ${mode}`);
  }
}

function selfOf(orders: string[][]): string {
  return orders.find(([key]) => key === 'self')?.[1] ?? '';
}

function listening([key = '', port]: string[]): string {
  if (key === 'tcp') return `listening ${port}\n`;
  return key === '17' || key === '112' ? `receiving ${key}\n` : '';
}

/** Every packet comes through, in a network of fakes. */
function probing({ cluster }: FakeHost, self: string, [key, first = '', second = '', third = '']: string[]): string {
  if (key === 'tcp') return `tcp ${first} ok\n`;
  if (key !== 'udp' && key !== 'vrrp') return '';
  const receipt = key === 'udp' ? `udp ${third} ${self}` : `vrrp ${self}`;
  if (second !== '') cluster.received.get(first)?.push(receipt);
  return '';
}
