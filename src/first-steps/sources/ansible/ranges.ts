/** A range without end would be hosts without end. */
const MOST_HOSTS = 10_000;

const RANGE = /\[(\d*|[a-zA-Z]):(\d+|[a-zA-Z])(?::(\d+))?\]/;

/**
 * The hosts that a pattern of an Ansible inventory stands for: `node[01:03]` is node01, node02 and node03, `db-[a:c:2]` is
 * db-a and db-c. A pattern may have several ranges; what is none stays as it is.
 */
export function expandHosts(pattern: string): string[] {
  const done: string[] = [];
  const open = [pattern];
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    const range = RANGE.exec(next);
    const items = range === null ? undefined : itemsOf(range);
    if (range === null || items === undefined) done.push(next);
    else open.push(...items.map((item) => replaced(next as string, range, item)));
    if (open.length + done.length > MOST_HOSTS) return [pattern];
  }
  return done;
}

function replaced(text: string, { index, 0: range }: RegExpExecArray, item: string): string {
  return `${text.slice(0, index)}${item}${text.slice(index + range.length)}`;
}

/** Undefined for what begins with a letter and ends with a number, and the like. */
function itemsOf([, first = '', last = '', stride = '1']: RegExpExecArray): string[] | undefined {
  const step = Math.max(1, Number(stride));
  const isNumeric = /^\d*$/.test(first);
  if (isNumeric !== /^\d+$/.test(last)) return undefined;
  const [from, to] = isNumeric ? [Number(first), Number(last)] : [first.charCodeAt(0), last.charCodeAt(0)];
  if (to < from || (to - from) / step > MOST_HOSTS) return undefined;
  const numbers = Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, at) => from + at * step);
  // A first number with leading zeros says how wide all of them are.
  const width = first.startsWith('0') ? first.length : 0;
  return numbers.map((number) => (isNumeric ? String(number).padStart(width, '0') : String.fromCharCode(number)));
}
