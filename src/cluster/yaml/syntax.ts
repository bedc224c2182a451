import type { YAMLError } from 'yaml';
import { describeValue } from '../describe.js';

/** The parser's message in words for someone who does not know its grammar. */
export function describeSyntaxError(error: YAMLError, text: string): string {
  if (
    /^\s*\[[\w:.-]+\]\s*$/m.test(text.slice(0, 4_000)) &&
    /^[\w.-]+(\s+[\w.]+=\S+)+\s*$/m.test(text.slice(0, 4_000))
  ) {
    return 'this is an INI file, such as an inventory of Ansible, and not YAML; `kubewright init --from` makes a cluster.yaml of an inventory';
  }
  const [start, end] = error.pos;
  const excerpt = text.slice(start, Math.max(end, start + 1)).split('\n')[0] ?? '';
  switch (error.code) {
    case 'TAB_AS_INDENT':
      return 'a tab stands where YAML wants spaces for indentation';
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'a second ": " stands in one value: put it in quotes, or check the indentation of the next line';
    case 'MULTILINE_IMPLICIT_KEY':
      return `there is no ": " after ${describeValue(excerpt)}: a key needs a colon and a space`;
    case 'BAD_INDENT':
      if (!error.message.includes('same column')) break;
      return 'this line is indented differently from those around it that it belongs to';
    case 'BAD_SCALAR_START':
      return `a value cannot start with ${describeValue(excerpt.slice(0, 1))}: put it in quotes`;
    case 'TAG_RESOLVE_FAILED':
      return 'tags such as !name are not supported';
    case 'BAD_DIRECTIVE':
      return 'this directive is not supported: remove the line';
    default:
      break;
  }
  return `not valid YAML: ${firstLower(error.message)}`;
}

function firstLower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
