/** SSH connections of this thread that stand, of both clients, to hosts and bastions; in the main thread those of others, too. */
let standing = 0;

let onChange: (count: number) => void = () => undefined;

/** Counts a connection until what is returned is called; twice is as once. */
export function countConnection(): () => void {
  let isCounted = true;
  change(1);
  return () => {
    if (isCounted) change(-1);
    isCounted = false;
  };
}

/** How many stand right now. */
export function openConnections(): number {
  return standing;
}

/** Tells one listener whenever the number changes: the thread that counts for another one. */
export function onOpenConnections(listener: (count: number) => void): void {
  onChange = listener;
}

function change(by: number): void {
  standing += by;
  onChange(standing);
}
