import { describe, expect, it } from 'vitest';
import { ClusterFileError, type Problem } from '../../../src/cluster/problem.js';
import { KubewrightError } from '../../../src/errors.js';
import { errorEvent, errorLines } from '../../../src/terminal/errors.js';
import { createTheme } from '../../../src/terminal/theme.js';

const theme = createTheme(false, true);

const refused = new KubewrightError('KW201', 'cannot log in: all keys were refused', {
  host: 'cp-2',
  step: 'cp-2/preflight',
  hint: 'Name the right key below spec.ssh.keyFiles, or add it to the agent.',
  output: 'first\nPermission denied (publickey).\u001b[31m\n',
});

describe('an error', () => {
  it('says what happened, where, the last lines and what to do', () => {
    expect(errorLines(refused, theme)).toEqual([
      'error KW201: cannot log in: all keys were refused',
      '  host cp-2, step cp-2/preflight',
      '  │ first',
      '  │ Permission denied (publickey).',
      '  Name the right key below spec.ssh.keyFiles, or add it to the agent.',
    ]);
  });

  it('of a file begins with every problem, each at its line and column from the first column on', () => {
    const place = { file: 'c.yaml', column: 3, found: '', expected: '' };
    const problems: Problem[] = [4, 17].map((line) => ({
      ...place,
      severity: 'error',
      code: 'unknown-key',
      line,
      path: `spec.x${line}`,
      message: 'is not a key',
    }));
    expect(errorLines(new ClusterFileError('c.yaml', problems), theme).slice(0, 3)).toEqual([
      'c.yaml:4:3: spec.x4: is not a key',
      'c.yaml:17:3: spec.x17: is not a key',
      'error KW101: c.yaml has 2 errors; nothing was changed',
    ]);
    expect(errorEvent(new ClusterFileError('c.yaml', problems))).toMatchObject({ code: 'KW101', problems });
  });

  it('never shows a stack trace, whatever was thrown', () => {
    expect(errorLines(new TypeError('x is not a function'), theme)).toEqual(['error: x is not a function']);
    expect(errorLines('text', theme)).toEqual(['error: text']);
  });

  it('is broken into lines of the terminal', () => {
    for (const line of errorLines(refused, theme, 40)) expect(line.length).toBeLessThanOrEqual(40);
  });

  it('is one object for machines', () => {
    expect(errorEvent(refused)).toEqual({
      type: 'error',
      code: 'KW201',
      message: 'cannot log in: all keys were refused',
      host: 'cp-2',
      step: 'cp-2/preflight',
      hint: 'Name the right key below spec.ssh.keyFiles, or add it to the agent.',
      output: 'first\nPermission denied (publickey).\u001b[31m\n',
    });
  });
});
