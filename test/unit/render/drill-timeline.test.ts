import { describe, expect, it } from 'vitest';
import { renderDrillTimeline } from '../../../src/render/drill-timeline.js';
import { BALANCER, DRILL } from '../terminal/drills.js';
import { expectGolden } from './golden.js';

describe('the time line of a drill', () => {
  it('draws a row for each kind, red where nothing was answered, and a line for each moment', () => {
    expectGolden('drill-timeline.svg', renderDrillTimeline({ ...DRILL, scenarios: [BALANCER] }));
  });

  it('draws each scenario below the one before, and grows with them', () => {
    const one = renderDrillTimeline({ ...DRILL, scenarios: [BALANCER] });
    const two = renderDrillTimeline(DRILL);
    const height = (svg: string) => Number(/height="(\d+)" viewBox/.exec(svg)?.[1]);
    expect(height(two)).toBeGreaterThan(height(one));
    expect(two).toContain('power: cp-2 is struck, w-1 asks');
    expect(two).toContain('NotReady 48 s');
  });

  it('tells in words what it shows in colours', () => {
    const words = /<desc id="words">(.*)<\/desc>/.exec(renderDrillTimeline(DRILL))?.[1];
    expect(words).toContain('balancer on cp-1: longest time without an answer: any answer 410 ms, read 420 ms');
  });

  it('holds no markup of others', () => {
    const svg = renderDrillTimeline({ ...DRILL, scenarios: [{ ...BALANCER, victim: '<script>&"\'\u0007' }] });
    expect(svg).not.toContain('<script>');
    expect(svg).toContain('&lt;script&gt;&amp;&quot;&#39; is struck');
  });

  it('is a picture as well where nothing was measured', () => {
    expect(renderDrillTimeline({ ...DRILL, scenarios: [] })).toContain('Nothing was measured.');
  });
});
