import { describe, expect, it } from 'vitest';
import { observe } from '../../../../../src/activities/prepare/reach/observe.js';
import { type Lines, RUN, round, says, seen, without } from './rounds.js';

describe('an observation', () => {
  it('passes where our listener answered with its nonce, and where a datagram was received', () => {
    expect(observe(RUN, round()).filter(({ outcome }) => outcome.is !== 'passes')).toEqual([]);
  });

  it.each(['timeout', 'refused', 'unreachable', 'own'])('is blocked by %s', (how) => {
    const found = observe(
      RUN,
      round(({ probe }) => says(probe, 'cp-2', 'cp-1', 6443, how)),
    );
    expect(seen(found, 'cp-2', 'cp-1', 6443)).toEqual({ is: 'blocked', how });
  });

  it('is wrong where somebody else answered, or nobody spoke', () => {
    const found = observe(
      RUN,
      round(({ probe }) => {
        says(probe, 'cp-2', 'cp-1', 6443, 'wrong HTTP/1.1 400');
        says(probe, 'w-1', 'cp-1', 6443, 'silent');
      }),
    );
    expect(seen(found, 'cp-2', 'cp-1', 6443)).toEqual({ is: 'wrong', said: 'HTTP/1.1 400' });
    expect(seen(found, 'w-1', 'cp-1', 6443)).toEqual({ is: 'wrong', said: '' });
  });

  it('is a pass when a port is refused on which nobody was to listen, for an installed host is left alone', () => {
    const found = observe(
      RUN,
      round(({ listen, probe }) => {
        listen['cp-1'] = (listen['cp-1'] ?? []).map((line) => line.replace('listening', 'quiet'));
        says(probe, 'cp-2', 'cp-1', 6443, 'refused');
        says(probe, 'cp-2', 'cp-1', 2380, 'timeout');
      }),
    );
    expect(seen(found, 'cp-2', 'cp-1', 6443)).toEqual({ is: 'passes' });
    expect(seen(found, 'cp-2', 'cp-1', 2380)).toEqual({ is: 'blocked', how: 'timeout' });
  });

  it('is blocked when a datagram did not come, and by the sender when its kernel refused', () => {
    const found = observe(
      RUN,
      round(({ probe, collect }) => {
        without(collect, 'w-1', /^udp 8472 0$/);
        without(collect, 'cp-2', /^vrrp/);
        probe['cp-1'] = [...(probe['cp-1'] ?? []), 'unsent vrrp 10.88.0.12 1: Operation not permitted'];
      }),
    );
    expect(seen(found, 'cp-1', 'w-1', 8472)).toEqual({ is: 'blocked', how: 'timeout' });
    expect(seen(found, 'cp-2', 'w-1', 8472)).toEqual({ is: 'passes' });
    expect(seen(found, 'cp-1', 'cp-2', 'vrrp')).toEqual({ is: 'blocked', how: 'own' });
  });

  it.each<[string, (lines: { listen: Lines; probe: Lines; collect: Lines }) => void, RegExp]>([
    ['the receiver has no perl', ({ listen }) => (listen['cp-1'] = ['!it has no perl']), /it has no perl/],
    [
      'the sender has no perl',
      ({ probe, collect }) => {
        probe['cp-2'] = ['!it has no perl'];
        collect['cp-1'] = ['end'];
      },
      /cp-2 could not (ask|send): it has no perl/,
    ],
    ['the listener had ended', ({ collect }) => (collect['cp-1'] = ['gone']), /listener on cp-1 ended early/],
    [
      'the sender broke off',
      ({ probe, collect }) => {
        probe['cp-2'] = [];
        collect['cp-1'] = ['end'];
      },
      /cp-2 broke off/,
    ],
    [
      'the receiver is deaf',
      ({ listen, collect }) => {
        listen['cp-1'] = ['failed 6443 no', 'deaf 17 no', 'deaf 112 no', 'ready'];
        collect['cp-1'] = ['end'];
      },
      /nobody listened on cp-1/,
    ],
    [
      'nothing could be sent',
      ({ probe, collect }) => {
        collect['cp-1'] = ['end'];
        probe['cp-2'] = ['unsent udp 10.88.0.11 0 8472: No buffer space available', 'end'];
      },
      /cp-2 (could not send: No buffer space|broke off)/,
    ],
  ])('is unknown, and never a pass, when %s', (_, change, why) => {
    const found = observe(
      RUN,
      round((lines) => {
        says(lines.probe, 'cp-2', 'cp-1', 6443, 'refused');
        change(lines);
      }),
    );
    for (const port of [6443, 8472] as const) {
      expect(seen(found, 'cp-2', 'cp-1', port)).toEqual({ is: 'unknown', why: expect.stringMatching(why) });
    }
  });
});
