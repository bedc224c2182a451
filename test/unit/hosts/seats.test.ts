import { expect, test } from 'vitest';
import { type SeatLive, Seats } from '../../../src/hosts/connection/seats.js';
import type { Channel } from '../../../src/hosts/connection/types.js';

type FakeLive = Omit<SeatLive, 'lost'> & { lost: string | undefined };

test('a connection that turns out to be dead is replaced, also while its end has not been told', async () => {
  const dialled: FakeLive[] = [];
  // `gone` is never called, as between the end of a socket and its event `close`.
  const dial = async (): Promise<FakeLive> => {
    const live = { lost: undefined, retire: () => undefined, end: async () => undefined } as unknown as FakeLive;
    dialled.push(live);
    return live;
  };
  const seats = new Seats<FakeLive>('cp-1', 'cp-1', dial, () => undefined);
  const channel = { once: () => channel } as unknown as Channel;
  await seats.session(
    async () => channel,
    (_, error) => error,
  );

  const openOnLiving = async (live: FakeLive): Promise<Channel> => {
    if (live !== dialled[0]) return channel;
    live.lost = 'Not connected';
    throw new Error('Not connected');
  };
  const { live } = await seats.session(openOnLiving, (_, error) => error);
  expect(live).toBe(dialled[1]);
});
