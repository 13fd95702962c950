/** The memory of this process. */
export interface Memory {
  /** What of it is in RAM, shared code included. */
  residentBytes(): number;
  /** Gives back what nobody uses any more; the loop stands still for some milliseconds. */
  collectGarbage(): void;
}
