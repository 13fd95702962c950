/** Counts the turns of the loop from now on. */
export function countTurns() {
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  return {
    /** @returns how many there were. */
    stop(): number {
      isOver = true;
      return turns;
    },
  };
}
