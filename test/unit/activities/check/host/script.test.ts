import { expect, it } from 'vitest';
import { CONCERNS } from '../../../../../src/activities/check/host/concerns.js';
import { drift } from '../../../../../src/activities/check/host/drift.js';
import { hostScript } from '../../../../../src/activities/check/host/script.js';
import { Facts, factsProgram } from '../../../../../src/activities/remote-facts.js';
import { clusterOf } from '../../../cluster-fixture.js';
import { at, output, program, useOneHost } from './one-host.js';

useOneHost();

const CONTROL_PLANE = at(clusterOf({ controlPlanes: 1, workers: 1 }), 'cp-1');

const asking = (questions: string) => ({ questions: () => questions, judge: () => [] });
const soon = (script: string) => script.replace('-t 45', '-t 1');

it('a question that hangs whatever its bound costs its own answer, and the connection is free', async () => {
  const concerns = [
    asking('ask first echo 1 &\nask stuck sleep 20 &\nask beside echo 2 &'),
    asking('fact held sleep 20'),
  ];
  const began = Date.now();
  // What still holds an end of the answer's pipe would keep this from coming back.
  const said = await output(factsProgram(hostScript(CONTROL_PLANE, concerns)), soon);
  expect(Date.now() - began).toBeLessThan(10_000);
  expect(said.trimEnd()).toMatch(/facts end$/);
  const facts = new Facts(said);
  expect([facts.text('first'), facts.text('beside')]).toEqual(['1', '2']);
  expect([facts.isAsked('stuck'), facts.isAsked('held')]).toEqual([false, false]);
  expect(facts.text('clock-after')).toMatch(/^\d+\.\d+$/);
});

it('questions that end are waited for, however many, and no longer', async () => {
  const many = Array.from({ length: 20 }, (_, n) => `slow() { sleep 0.5; printf '%03000d' ${n}; }\nask q${n} slow &`);
  const began = Date.now();
  const facts = new Facts(await output(factsProgram(hostScript(CONTROL_PLANE, [asking(many.join('\n'))]))));
  expect(Date.now() - began).toBeLessThan(20_000);
  expect(many.map((_, n) => Number(facts.text(`q${n}`)))).toEqual(many.map((_, n) => n));
});

it('what did not come is not known, and nothing else is said of it', async () => {
  const said = await output(factsProgram(hostScript(CONTROL_PLANE, [asking('sleep 20'), ...CONCERNS])), soon);
  const answers = { facts: new Facts(said), sentAt: 0, answeredAt: 0 };
  // What judges another's answer leaves it to that one to say that there was none.
  const asked = CONCERNS.filter((concern) => concern.questions(CONTROL_PLANE) !== '');
  const found = asked.map((concern) => concern.judge(CONTROL_PLANE, answers).map(({ code }) => code));
  for (const codes of found) expect([...new Set(codes)]).toEqual(['KW642']);
});

it('settings of which only some were asked are not known', async () => {
  program('systemctl', 'exit 1');
  const cut = drift.questions(CONTROL_PLANE).replace(/\n[^\n]*$/, '');
  const facts = new Facts(await output(factsProgram(cut)));
  expect(drift.judge(CONTROL_PLANE, { facts, sentAt: 0, answeredAt: 0 })).toMatchObject([{ code: 'KW642' }]);
});
