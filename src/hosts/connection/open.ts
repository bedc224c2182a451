/** SSH connections of this process that stand, of both clients, to hosts and bastions. */
let standing = 0;

/** Counts a connection until what is returned is called; twice is as once. */
export function countConnection(): () => void {
  let isCounted = true;
  standing += 1;
  return () => {
    if (isCounted) standing -= 1;
    isCounted = false;
  };
}

/** How many stand right now. */
export function openConnections(): number {
  return standing;
}
