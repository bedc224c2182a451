import { describe, expect, it } from 'vitest';
import { chatBody, healthMessage } from '../../../src/plan/health-message.js';
import type { HealthFinding } from '../../../src/plan/run.js';
import { toldOf } from '../../../src/plan/told.js';
import { type Checked, newsOf } from '../../../src/plan/verdict-news.js';

const AT = Date.parse('2026-03-01T09:35:10Z');
const BEFORE = AT - 300_000;

function finding(code: string, host: string | null, more: Partial<HealthFinding> = {}): HealthFinding {
  return { code, host, evidence: `${code} was seen`, hint: '', ...more };
}
const report = (fields: Partial<Checked> = {}): Checked => ({
  cluster: 'demo',
  at: AT,
  verdict: 'degraded',
  findings: [finding('KW601', 'cp-2', { evidence: 'cp-2: it is not ready', hint: 'See its log.', since: AT })],
  ...fields,
});
const well = toldOf({ at: BEFORE, verdict: 'ok', findings: [] });
const changed = { id: 'demo-1', event: 'changed' as const, told: well, before: [] };

describe('the message on a verdict', () => {
  it('says what is wrong, what was before, and what to do', () => {
    const { subject, text } = healthMessage(newsOf(report(), changed));
    expect(subject).toBe('[demo] demo is degraded, 1 finding, it was healthy');
    expect(text.split('\n')).toEqual([
      'demo is degraded, 1 finding, it was healthy',
      '',
      'KW601 cp-2: it is not ready (new)',
      '  See its log.',
      '',
      'Checked 2026-03-01 09:35 UTC. `kubewright health` shows the whole report.',
    ]);
  });

  it('of a recovery names what is no longer found', () => {
    const told = toldOf(report({ verdict: 'down', at: BEFORE }));
    const before = [finding('KW601', 'cp-2'), finding('KW680', null), finding('KW686', null)];
    const news = newsOf(report({ verdict: 'ok', findings: [] }), { ...changed, event: 'recovered', told, before });
    const { text, json } = healthMessage(news);
    expect(text.split('\n').slice(0, 3)).toEqual([
      'demo is healthy again, it was down',
      '',
      'No longer found: KW601 on cp-2, KW680',
    ]);
    expect(json).toMatchObject({ event: 'recovered', verdict: 'ok', previous: 'down', over: { length: 2 } });
  });

  it('of a reminder says that it is still so, and since when', () => {
    const findings = [finding('KW601', 'cp-2', { since: Date.parse('2026-02-28T09:30:00Z') })];
    const told = toldOf(report({ at: AT - 86_400_000, findings }));
    const news = newsOf(report({ findings }), { ...changed, event: 'reminder', told, before: findings });
    const { subject, text } = healthMessage(news);
    expect(subject).toBe('[demo] demo is still degraded, 1 finding');
    expect(text).toContain('KW601 cp-2: KW601 was seen (since 2026-02-28 09:30 UTC)');
  });

  it('is for programs the same, with times as ISO 8601', () => {
    const { json } = healthMessage(newsOf(report(), changed));
    expect(json).toEqual({
      text: 'demo is degraded, 1 finding, it was healthy',
      id: 'demo-1',
      event: 'changed',
      cluster: 'demo',
      verdict: 'degraded',
      previous: 'ok',
      time: '2026-03-01T09:35:10.000Z',
      findings: [
        {
          code: 'KW601',
          host: 'cp-2',
          evidence: 'cp-2: it is not ready',
          hint: 'See its log.',
          since: '2026-03-01T09:35:10.000Z',
        },
      ],
      more: 0,
      over: [],
    });
  });

  it('stays small, whatever the cluster: what chat programs take is more', () => {
    const findings = Array.from({ length: 200 }, (_, index) =>
      finding('KW481', `w-${index}`, { evidence: 'x'.repeat(5_000), hint: 'y'.repeat(5_000), since: AT }),
    );
    const message = healthMessage(newsOf(report({ findings, more: 100 }), changed));
    expect(message.json).toMatchObject({ findings: { length: 20 }, more: 280 });
    expect(message.subject).toContain('300 findings');
    expect(message.text).toContain('and 280 more');
    expect(chatBody(message).text.length).toBeLessThan(16_383);
  });

  it('leaves what hosts say on its line, and makes no mention and no link of it in a chat', () => {
    const evidence = 'first\nSubject: second\u0007 <!channel> & <http://evil.example|here> @all';
    const message = healthMessage(newsOf(report({ findings: [finding('KW655', 'w-1', { evidence })] }), changed));
    expect(message.text).toContain('KW655 w-1: first Subject: second <!channel>');
    const { text } = chatBody(message);
    expect(text).toContain('&lt;!channel&gt; &amp; &lt;http://evil.example|here&gt;');
    expect(text).not.toMatch(/[<>]|@all/);
  });
});
