/** What is left of a tree of processes whose guardian was killed. */
export interface Orphans {
  /** From now on orphans of this process's tree become its children. */
  adopt(): void;
  /** Ends everything below this process. */
  endAll(): void;
}
