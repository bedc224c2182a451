import { describe, expect, it } from 'vitest';
import { bearsToken, makeToken, turnedAway } from '../../../src/dashboard/gate.js';

const PORT = 8300;
const host = `127.0.0.1:${PORT}`;

describe('the gate', () => {
  it.each([
    ['by its address', { host }],
    ['by the name of the machine itself', { host: `localhost:${PORT}` }],
    ['from the page itself', { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }],
    ['by an address that was typed', { host, 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }],
    ['by a link', { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }],
  ])('lets a question through that comes %s', (_, headers) => {
    expect(turnedAway({ method: 'GET', headers }, PORT)).toBeUndefined();
  });

  it.each([
    ['a name that leads here (DNS rebinding)', { host: `evil.example:${PORT}` }],
    ['a name that looks like it', { host: `127.0.0.1.evil.example:${PORT}` }],
    ['another port', { host: '127.0.0.1:80' }],
    ['no name', {}],
  ])('turns away who asks for %s', (_, headers) => {
    expect(turnedAway({ method: 'GET', headers }, PORT)).toMatchObject({ status: 421 });
  });

  it.each([
    ['another page', 'GET', { host, origin: 'https://evil.example' }],
    ['a page of the same machine', 'GET', { host, origin: 'http://127.0.0.1:9000' }],
    ['a page that says nobody', 'GET', { host, origin: 'null' }],
    ['a picture of another page', 'GET', { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
    ['a page of the same site', 'GET', { host, 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }],
    ['a form of another page', 'POST', { host, origin: 'https://evil.example', 'sec-fetch-mode': 'navigate' }],
    ['nobody, to decide', 'POST', { host }],
    ['the other name of the machine, to decide', 'POST', { host, origin: `http://localhost:${PORT}` }],
    ['a form that hides where it is', 'POST', { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }],
  ])('turns away %s', (_, method, headers) => {
    expect(turnedAway({ method, headers }, PORT)).toMatchObject({ status: 403 });
  });

  it('knows its token from all others, of whatever length, and makes a new one each time', () => {
    const token = makeToken();
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(makeToken()).not.toBe(token);
    const bears = (given: string | string[] | undefined) => bearsToken({ 'kubewright-token': given }, token);
    expect(bears(token)).toBe(true);
    for (const wrong of [undefined, '', 'x', token.slice(1), `${token}x`, token.toUpperCase(), [token, token]]) {
      expect(bears(wrong)).toBe(false);
    }
  });
});
