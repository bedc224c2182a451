import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attendScript, stopScript } from '../../../src/hosts/durable/host-scripts.js';
import { inputHash, unitName } from '../../../src/hosts/durable/names.js';
import { END, MAIN } from '../../../src/hosts/durable/unit-scripts.js';
import { listScript, receiveScript } from '../../../src/hosts/files/upload-scripts.js';
import { assign, bash, quote } from '../../../src/hosts/shell.js';

describe('quote', () => {
  test('gives any word to a shell as it is', () => {
    const words = fc.sample(fc.string({ unit: 'binary' }), 300).filter((word) => !word.includes('\0'));
    const script = words.map((word) => `printf '%s\\0' ${quote(word)}\n`).join('');
    const back = execFileSync('bash', ['--norc', '-s'], { input: script }).toString().split('\0');
    expect(back.slice(0, -1)).toEqual(words.map((word) => Buffer.from(word).toString()));
  });

  test('refuses a NUL byte', () => {
    expect(() => quote('a\0b')).toThrow(TypeError);
  });

  test('makes assignments', () => {
    expect(assign({ path: "/a b'c", count: 3 })).toBe("path='/a b'\\''c'\ncount=3\n");
  });

  test('shell templates keep backslashes and the shell’s own braces', () => {
    expect(bash`printf '%s\n' "\${name%x}" ${7}`).toBe(`printf '%s\\n' "\${name%x}" 7`);
  });
});

const PARAMETERS = { unit: 'kubewright-x', id: "it's", hash: 'h', attempt: '', seconds: 5 };

test.each([
  ['main', MAIN],
  ['end', END],
  ['look', attendScript(PARAMETERS, { mode: 'look' })],
  ['start', attendScript(PARAMETERS, { mode: 'start', payload: 10 })],
  ['resume', attendScript(PARAMETERS, { mode: 'resume', run: 'runs/x', offset: 0 })],
  ['stop', stopScript({ prefix: 'cluster/demo:cp-1/' })],
  ['list uploads', listScript()],
  ['receive uploads', receiveScript()],
])('the script %s is bash, every brace of its own in place', (_name, script) => {
  execFileSync('bash', ['--norc', '-n'], { input: script });
  expect(script).not.toMatch(/\\\$\{|undefined|\[object/);
});

describe('the name of a unit', () => {
  test('can be read, and is one that systemd takes', () => {
    expect(unitName('cluster/demo:cp-2/join:kubeadm')).toMatch(
      /^kubewright-cluster-demo-cp-2-join-kubeadm-[0-9a-f]{10}$/,
    );
    expect(unitName(`${'ä/'.repeat(300)}x`)).toMatch(/^kubewright-[a-z0-9-]{1,100}$/);
  });

  test('differs for ids that look alike', () => {
    expect(unitName('a/b')).not.toBe(unitName('a-b'));
  });

  test('does not depend on the script; the input hash does', () => {
    expect(inputHash('a')).not.toBe(inputHash('b'));
  });
});
